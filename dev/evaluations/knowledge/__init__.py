"""The made-up corpus and its questions, in Arabic and English; half of the sections are held out from tuning."""
