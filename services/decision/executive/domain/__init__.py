"""How risks are scored and figures are judged: values in, values out."""
