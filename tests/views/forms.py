"""The formats of pictures, for tests that draw in each of them."""

import pytest

from strag.views.style import FORMATS

FORMS = [form if form == "png" else pytest.param(form, marks=pytest.mark.slow) for form in FORMATS]
