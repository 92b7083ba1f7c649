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

# One class at a time, and by the rule of the authors' notebook, so that the paper's number can stand beside ours.
$(OUT)/c1/%.perclass.json: $(OUT)/c1/%.safetensors
	$(FIND) $< --per-class -o $@

$(OUT)/c1/%.notebook.json: $(OUT)/c1/%.safetensors
	$(FIND) $< --rule first-increase -o $@

C1_ROWS := $(SETS) $(foreach d,$(filter cifar,$(SETS)),$(d).adam $(d).perclass) $(foreach d,$(filter mnist,$(SETS)),$(d).notebook)

$(OUT)/c1/effects.json: $(C1_ROWS:%=$(OUT)/c1/%.json)
	$(STRAG) summary $^ $(C1_ROWS:%=--label %) -o $@

$(OUT)/c1/%.error.png: $(OUT)/c1/%.safetensors
	$(DRAW) $< --x error $(CURVES) -o $@

$(OUT)/c1/%.updates.png: $(OUT)/c1/%.safetensors
	$(DRAW) $< --x updates $(CURVES) -o $@
