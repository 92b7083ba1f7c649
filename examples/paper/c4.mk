# C4, panel 2a, and dose: what is left of the inversion without the stragglers, without a part of them, most
# frequent first, and without as many examples at random, of the same classes, or of those misclassified at half
# the time. One network per set.
CAUSE_RUNS := 30
CAUSE := --lr 0.1 --epochs 300
# Long enough for training to finish, so that no inversion is none, not open.
LATER_mnist := --runs 30 --lr 0.2 --epochs 3000 --record-every 10
LATER_fashion := --runs 10 --lr 0.1 --epochs 3000 --record-every 10
LATER_kmnist := --runs 10 --lr 0.1 --epochs 3000 --record-every 10
LATER_vehicles := --runs 5 --lr 0.02 --epochs 10000 --record-every 20

c4: $(OUT)/c4/sweep.png $(OUT)/c4/effects.json $(OUT)/c4/dynamics.png $(OUT)/c4/removed.json $(OUT)/c4/later.json

$(OUT)/c4/all.safetensors: $(DATA)/mnist.safetensors
	mkdir -p $(@D)
	$(TRAIN) $< --runs $(CAUSE_RUNS) $(CAUSE) -o $@

$(OUT)/c4/sets.safetensors: $(OUT)/c4/all.safetensors
	$(STRAG) sets --any-verdict $< --dose 0.1,0.25,0.5,0.75,1 --controls random,class,earlier -o $@

$(OUT)/c4/sweep.safetensors: $(DATA)/mnist.safetensors $(OUT)/c4/sets.safetensors
	$(TRAIN) $< --without $(OUT)/c4/sets.safetensors $(CAUSE) --test-every $(lastword $(CAUSE)) $(FAST) -o $@

$(OUT)/c4/sweep.png: $(OUT)/c4/sweep.safetensors
	$(DRAW) $< -o $@

$(OUT)/c4/effects.json: $(OUT)/c4/sweep.json
	$(STRAG) summary $< -o $@
	$(STRAG) summary $< --markdown -o $(@:json=md)

# The same with the stragglers of most runs, for curves: without them, without as many at random, and without the
# errors of a linear classifier.
$(OUT)/c4/pruned.safetensors: $(DATA)/mnist.safetensors $(OUT)/c4/all.json
	$(TRAIN) $< --runs $(CAUSE_RUNS) $(CAUSE) --without $(OUT)/c4/all.json -o $@

$(OUT)/c4/random.safetensors: $(DATA)/mnist.safetensors $(OUT)/c4/all.json
	$(STRAG) prune $< $(OUT)/c4/all.json --random 1 | $(TRAIN) - --runs $(CAUSE_RUNS) $(CAUSE) -o $@

$(OUT)/c4/linear.safetensors: $(DATA)/mnist.safetensors $(OUT)/linear/mnist.json
	$(TRAIN) $< --runs $(CAUSE_RUNS) $(CAUSE) --without $(OUT)/linear/mnist.json -o $@

LEFT_OUT := --label 'all examples' --label 'without stragglers' --label 'without as many at random' \
  --label 'without linear errors'

$(OUT)/c4/removed.json: $(foreach n,all pruned random linear,$(OUT)/c4/$(n).json)
	$(STRAG) summary $^ $(LEFT_OUT) -o $@
	$(STRAG) summary $^ $(LEFT_OUT) --markdown -o $(@:json=md)

$(OUT)/c4/dynamics.png: $(foreach n,all pruned random linear,$(OUT)/c4/$(n).safetensors)
	$(DRAW) $^ $(LEFT_OUT) -o $@

# On every data set, for long: does the inversion come back? That of the control is early, and needs more records.
$(OUT)/c4/%.later.safetensors: $(DATA)/%.safetensors $(OUT)/c1/%.json
	mkdir -p $(@D)
	$(TRAIN) $< $(LATER_$*) --without $(OUT)/c1/$*.json $(FAST) -o $@

$(OUT)/c4/%.control.safetensors: $(DATA)/%.safetensors $(OUT)/c1/%.json
	mkdir -p $(@D)
	$(STRAG) prune $< $(OUT)/c1/$*.json --random 1 | $(TRAIN) - $(LATER_$*) --record-every 5 $(FAST) -o $@

$(OUT)/c4/%.linear.safetensors: $(DATA)/%.safetensors $(OUT)/linear/%.json
	mkdir -p $(@D)
	$(TRAIN) $< $(LATER_$*) --without $(OUT)/linear/$*.json $(FAST) -o $@

AFTER := $(foreach d,$(INVERTING),$(foreach o,later control linear,$(OUT)/c4/$(d).$(o).json))
NAMED := $(foreach d,$(INVERTING),--label '$(d), without stragglers' --label '$(d), without as many at random' \
  --label '$(d), without linear errors')

$(OUT)/c4/later.json: $(AFTER)
	$(STRAG) summary $^ $(NAMED) -o $@
	$(STRAG) summary $^ $(NAMED) --markdown -o $(@:json=md)
