demo test faults check bench help:
	@./dev $@

.PHONY: demo test faults check bench help
