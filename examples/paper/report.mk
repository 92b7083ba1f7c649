# The page: README.md, made of report.md and of what `make results` collected.
PYTHON ?= python3

report: results
	$(PYTHON) report.py --folder $(RESULTS)

.PHONY: report
