# C4, panel 2a, and dose: what is left of the inversion without the stragglers of most runs (dose 1), without each
# run's own, without a part of them, most frequent first, and without as many examples at random, or as many of the
# hardest that are stragglers in no run. One network per set, trained until it has shown whether it inverts.
SETS_IN_mnist := --dose 0.1,0.25,0.5,0.75,1 --controls random,class,hard
SETS_IN := --dose 1 --controls random,hard

# KMNIST: the majority leaves hundreds of examples in that some run calls stragglers; here none is left.
UNION := $(filter kmnist,$(INVERTING))

C4 := $(C3) $(UNION:%=%-union)
c4: $(C4:%=$(OUT)/c4/%.effects.json) $(INVERTING:%=$(OUT)/c4/%.linear.effects.json) \
  $(OUT)/c4/mnist.sweep.png $(INVERTING:%=$(OUT)/c4/%.dynamics.png)

$(BLOCKS:%=$(OUT)/c4/%.sets.safetensors): $(OUT)/c4/%.sets.safetensors: $(OUT)/c3/%.seeds.safetensors
	mkdir -p $(@D)
	$(STRAG) sets --any-verdict $< $(or $(SETS_IN_$*),$(SETS_IN)) -o $@

$(UNION:%=$(OUT)/c4/%-union.sets.safetensors): $(OUT)/c4/%-union.sets.safetensors: $(OUT)/c3/%.seeds.safetensors
	mkdir -p $(@D)
	$(STRAG) sets --any-verdict $< --quorum 0 $(SETS_IN) -o $@

define SWEEP
$(OUT)/c4/$(1).sweep.safetensors: $(DATA)/$(2).safetensors $(OUT)/c4/$(1).sets.safetensors
	$(TRAIN) $$< --without $(OUT)/c4/$(1).sets.safetensors --lr $(call lr_of,$(1)) $(LONG) $(FAST) -o $$@
endef
$(foreach b,$(BLOCKS),$(eval $(call SWEEP,$(b),$(b))))
$(foreach d,$(UNION),$(eval $(call SWEEP,$(d)-union,$(d))))

$(OUT)/c4/%.sweep.png: $(OUT)/c4/%.sweep.safetensors
	$(DRAW) $< -o $@

# The same runs without the errors of a linear classifier at the same training error (linear.mk).
$(LARGE:%=$(OUT)/c4/%.linear.safetensors): $(OUT)/c4/%.linear.safetensors: $(DATA)/%.safetensors $(OUT)/linear/%.json
	mkdir -p $(@D)
	$(TRAIN) $< --runs $(call runs_of,$*) --without $(OUT)/linear/$*.json --lr $(call lr_of,$*) $(LONG) $(FAST) -o $@

# On all examples, too, for comparison.
define CAUSE
$(OUT)/c4/$(1).effects.json: $(foreach b,$(2),$(OUT)/c3/$(firstword $(subst -union, ,$(b))).bfloat16.json $(OUT)/c4/$(b).sweep.json)
	$(STRAG) summary $$^ -o $$@
endef
$(foreach d,$(C3),$(eval $(call CAUSE,$(d),$(call blocks_in,$(d)))))
$(foreach d,$(UNION),$(eval $(call CAUSE,$(d)-union,$(d)-union)))

define BY_LINEAR
$(OUT)/c4/$(1).linear.effects.json: $(foreach b,$(call blocks_in,$(1)),$(OUT)/c4/$(b).linear.json)
	$(STRAG) summary $$^ -o $$@
endef
$(foreach d,$(INVERTING),$(eval $(call BY_LINEAR,$(d))))

# Panel 2a: curves of the runs with all examples, without the stragglers of most runs, and without as many others.
LEFT_OUT := --label 'all examples' --label 'without stragglers' --label 'without as many at random' \
  --label 'without linear errors'
CURVED = --runs $(RUNS) --lr $(call lr_of,$*) --epochs $(CURVED_$*) --record-every log $(FAST)
CURVED_mnist := 1000
CURVED_fashion := 1500
CURVED_kmnist := 1000
CURVED_vehicles := 5000

$(OUT)/c4/%.curves.safetensors: $(DATA)/%.safetensors
	mkdir -p $(@D)
	$(TRAIN) $< $(CURVED) -o $@

$(OUT)/c4/%.pruned.safetensors: $(DATA)/%.safetensors $(OUT)/c3/%.seeds.json
	mkdir -p $(@D)
	$(TRAIN) $< --without $(OUT)/c3/$*.seeds.json $(CURVED) -o $@

$(OUT)/c4/%.random.safetensors: $(DATA)/%.safetensors $(OUT)/c3/%.seeds.json
	mkdir -p $(@D)
	$(STRAG) prune $< $(OUT)/c3/$*.seeds.json --random 1 | $(TRAIN) - $(CURVED) -o $@

$(OUT)/c4/%.dynamics.png: $(foreach n,curves pruned random linear,$(OUT)/c4/%.$(n).safetensors)
	$(DRAW) $^ $(LEFT_OUT) -o $@
