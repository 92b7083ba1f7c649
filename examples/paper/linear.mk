# The linear control: a linear classifier stopped at the same training error. Are its errors the stragglers? The
# ceiling is the overlap with the stragglers of other seeds.
LINEAR = $(STRAG) train --depth 1 --runs $(RUNS)# has no hidden layer that NETWORK could vary
LINEAR_mnist := --lr 0.2 --epochs 300
LINEAR_fashion := --lr 0.2 --epochs 600
# Gradient descent takes some thousands of updates to that error here.
LINEAR_kmnist := --optimizer adam --lr 0.001 --epochs 1000
LINEAR_vehicles := --lr 0.02 --epochs 1000
LINEAR_SIZES := $(foreach p,1024 2048 32768,$(shell test $(p) -le $(IMAGES) && echo $(p)))

linear: $(INVERTING:%=$(OUT)/linear/%.overlap.png) $(LINEAR_SIZES:%=$(OUT)/linear/%.overlap.json)

# Where a training with an inversion, its stragglers in $(1), has its eps*.
INVERTS_AT = error:$$($(STRAG) info $(1) --get summary.train_error_mean)
BESIDE := --label stragglers --label 'of other seeds' --label 'errors of a linear classifier'

$(INVERTING:%=$(OUT)/linear/%.safetensors): $(OUT)/linear/%.safetensors: $(DATA)/%.safetensors
	mkdir -p $(@D)
	$(LINEAR) $< $(LINEAR_$*) -o $@

$(INVERTING:%=$(OUT)/linear/%.json): $(OUT)/linear/%.json: $(OUT)/linear/%.safetensors $(OUT)/c1/%.json
	$(FIND) $< --at $(call INVERTS_AT,$(OUT)/c1/$*.json) -o $@

$(INVERTING:%=$(OUT)/linear/%.overlap.json): $(OUT)/linear/%.overlap.json: $(OUT)/c1/%.json $(OUT)/c2/%.seeds.json $(OUT)/linear/%.json
	$(STRAG) compare $^ $(BESIDE) -o $@

$(OUT)/linear/%.png: $(OUT)/linear/%.json
	$(DRAW) $< -o $@

# The same for other sizes of MNIST, whose stragglers C3 finds.
define OF_SIZE
$(OUT)/linear/$(1).safetensors:
	mkdir -p $$(@D)
	$(STRAG) data $(MNIST) --labels $(LABELS) --size $(1) | $(LINEAR) - $(LINEAR_mnist) -o $$@
$(OUT)/linear/$(1).seeds.safetensors:
	mkdir -p $$(@D)
	$(STRAG) data $(MNIST) --labels $(LABELS) --size $(1) | $(TRAIN) - --first-run 100 --runs $(RUNS) $(BASE) -o $$@
$(OUT)/linear/$(1).json: $(OUT)/linear/$(1).safetensors $(OUT)/c3/size/$(1).1.json
	$(FIND) $$< --at $$(call INVERTS_AT,$(OUT)/c3/size/$(1).1.json) -o $$@
$(OUT)/linear/$(1).overlap.json: $(OUT)/c3/size/$(1).1.json $(OUT)/linear/$(1).seeds.json $(OUT)/linear/$(1).json
	$(STRAG) compare $$^ $(BESIDE) -o $$@
endef
$(foreach n,$(LINEAR_SIZES),$(eval $(call OF_SIZE,$(n))))
