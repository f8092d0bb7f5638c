"""The only words that planes share: frozen messages, subjects, catalogues, canonical forms. No I/O."""
