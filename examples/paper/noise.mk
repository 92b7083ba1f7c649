# Label noise: a share Q of the training examples gets a label of another group. Where does the inversion come to
# lie, and are its stragglers the flipped examples? eps* counts what is misclassified against the flipped labels.
#
# Beside it is a guess without a free parameter, Q + (1 - 2 Q) eps*(0): the error that a network with the error
# eps*(0) on clean labels has, if the flips are random and it learns none of them.
NOISES := 0.01 0.02 0.05 0.1 0.2
# The epochs are a limit.
NOISE_TRAIN = --runs $(RUNS) --lr $(LR_$(1)) --until decided --epochs 20000 --test-every never $(FAST)

NOISE_SETS := $(foreach d,$(INVERTING),$(foreach q,$(NOISES),$(d).$(q)))

noise: $(OUT)/noise/noise.json

# Without flips, and with the share that the end of the name has.
$(INVERTING:%=$(OUT)/noise/%.0.safetensors): $(OUT)/noise/%.0.safetensors: $(DATA)/%.safetensors
	mkdir -p $(@D)
	$(TRAIN) $< $(call NOISE_TRAIN,$*) -o $@

define FLIPPED
$(OUT)/noise/$(1).$(2).data.safetensors: $(DATA)/$(1).safetensors
	mkdir -p $$(@D)
	$(STRAG) data $$< --flip-labels $(2) --seed 1 -o $$@
$(OUT)/noise/$(1).$(2).safetensors: $(OUT)/noise/$(1).$(2).data.safetensors
	$(TRAIN) $$< $(call NOISE_TRAIN,$(1)) -o $$@
$(OUT)/noise/$(1).$(2).core.json: $(OUT)/noise/$(1).$(2).safetensors
	$(FIND) $$< --core -o $$@
$(OUT)/noise/$(1).$(2).overlap.json: $(OUT)/noise/$(1).$(2).json $(OUT)/noise/$(1).$(2).core.json $(OUT)/noise/$(1).$(2).data.safetensors
	$(STRAG) compare $$^ --label stragglers --label core --label flipped -o $$@
endef
$(foreach d,$(INVERTING),$(foreach q,$(NOISES),$(eval $(call FLIPPED,$(d),$(q)))))

# Reads NAME.Q.json and NAME.Q.overlap.json of all data sets; writes noise.json, noise.md and noise.png.
$(OUT)/noise/noise.json $(OUT)/noise/noise.png &: noise.py $(INVERTING:%=$(OUT)/noise/%.0.json) $(NOISE_SETS:%=$(OUT)/noise/%.json) $(NOISE_SETS:%=$(OUT)/noise/%.overlap.json)
	$(PYTHON) noise.py $(@D) --sets $(INVERTING) --noises $(NOISES)
