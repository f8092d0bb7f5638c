"""Pure import rules. Bytes and values in, frozen values out; the only reading done is of the vocabulary files beside
this.

parsed = read_file(content)                                  detect.py; raises FileRefused
rows = read_rows(parsed, source="own_crm", today=today)      rows.py
plan = plan_import(rows, existing)                           plan.py: counts add up to the rows
"""
