# C1, panels 1c and 1d: the manifolds separate, then entangle again.
CURVES := --curves radius,distance,separation

c1: $(OUT)/c1/effects.json $(foreach x,error updates,$(SETS:%=$(OUT)/c1/%.$(x).png))

$(OUT)/c1/%.safetensors: $(DATA)/%.safetensors
	mkdir -p $(@D)
	$(TRAIN) $< --runs $(RUNS) $(TRAIN_$*) -o $@

ADAM_cifar := --runs 5 --optimizer adam --lr 0.0005 --epochs 4000 --record-every 10 $(FAST)

# CIFAR-10 again, with Adam, which gets to the end of training.
$(OUT)/c1/%.adam.safetensors: $(DATA)/%.safetensors
	mkdir -p $(@D)
	$(TRAIN) $< $(ADAM_$*) -o $@

C1_ROWS := $(SETS) $(patsubst %,%.adam,$(filter cifar,$(SETS)))

$(OUT)/c1/effects.json: $(C1_ROWS:%=$(OUT)/c1/%.json)
	$(STRAG) summary $^ $(C1_ROWS:%=--label %) -o $@
	$(STRAG) summary $^ $(C1_ROWS:%=--label %) --markdown -o $(@:json=md)

$(OUT)/c1/%.error.png: $(OUT)/c1/%.safetensors
	$(DRAW) $< --x error $(CURVES) -o $@

$(OUT)/c1/%.updates.png: $(OUT)/c1/%.safetensors
	$(DRAW) $< --x updates $(CURVES) -o $@
