"""Recording a training that strag does not make: arrays of any framework, and sums over one record."""
