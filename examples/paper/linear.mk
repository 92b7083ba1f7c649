# The linear control, in two parts. First, how linear are the networks until the inversion and after it? A linear
# function of the inputs is fitted to each of ten networks along training. The control are networks without biases,
# and the ceiling a linear classifier, which only shows what the fit lacks.
#
# Second, a linear classifier stopped at the same training error: are its errors the stragglers? The ceiling is the
# overlap with the stragglers of other seeds.
LINEAR = $(STRAG) train --depth 1 --runs $(RUNS)# has no hidden layer that NETWORK could vary
LINEAR_mnist := --lr 0.2 --epochs 300
LINEAR_fashion := --lr 0.2 --epochs 600
# Gradient descent takes some thousands of updates to that error here.
LINEAR_kmnist := --optimizer adam --lr 0.001 --epochs 1000
LINEAR_vehicles := --lr 0.02 --epochs 1000
LINEAR_SIZES := $(foreach p,1024 2048 32768,$(shell test $(p) -le $(IMAGES) && echo $(p)))

# Ten networks with and without biases, whose weights are kept far beyond the inversion.
NETS_KINDS := biases nobias
BIAS_nobias := --no-bias
NETS_mnist := --lr $(LR_mnist) --epochs 1000
NETS_fashion := --lr $(LR_fashion) --epochs 1500
NETS_kmnist := --lr $(LR_kmnist) --epochs 1000
NETS_vehicles := --lr $(LR_vehicles) --epochs 2000

linear: $(INVERTING:%=$(OUT)/linear/%.overlap.png) $(LINEAR_SIZES:%=$(OUT)/linear/%.overlap.json) \
  $(foreach d,$(INVERTING),$(foreach n,$(NETS_KINDS),$(OUT)/linear/$(d).$(n).linearity.png)) \
  $(INVERTING:%=$(OUT)/linear/%.classifier.linearity.json) $(OUT)/linear/effects.json

define NETS
$(OUT)/linear/$(1).$(2).safetensors $(OUT)/linear/$(1).$(2).weights.safetensors &: $(DATA)/$(1).safetensors
	mkdir -p $$(@D)
	$(TRAIN) $$< --runs $(RUNS) $(NETS_$(1)) $(BIAS_$(2)) --weights $(OUT)/linear/$(1).$(2).weights.safetensors \
	  --weights-at log -o $(OUT)/linear/$(1).$(2).safetensors
$(OUT)/linear/$(1).$(2).linearity.json: $(OUT)/linear/$(1).$(2).weights.safetensors $(DATA)/$(1).safetensors $(OUT)/linear/$(1).$(2).json
	$(STRAG) linearity $$< $(DATA)/$(1).safetensors --stragglers $(OUT)/linear/$(1).$(2).json -o $$@
endef
$(foreach d,$(INVERTING),$(foreach n,$(NETS_KINDS),$(eval $(call NETS,$(d),$(n)))))

# Do networks without biases invert, and at which error?
NETS_FOUND := $(foreach d,$(INVERTING),$(foreach n,$(NETS_KINDS),$(OUT)/linear/$(d).$(n).json))
NETS_LABELS := $(foreach d,$(INVERTING),--label '$(d)' --label '$(d), no biases')
$(OUT)/linear/effects.json: $(NETS_FOUND)
	$(STRAG) summary $^ $(NETS_LABELS) -o $@

$(OUT)/linear/%.classifier.linearity.json: $(OUT)/linear/%.weights.safetensors $(DATA)/%.safetensors
	$(STRAG) linearity $^ -o $@

BESIDE := --label stragglers --label 'of other seeds' --label 'errors of a linear classifier'

# On every block of a full size, for C4, which leaves out the classifier's errors.
define CLASSIFIER
$(OUT)/linear/$(1).safetensors $(OUT)/linear/$(1).weights.safetensors &: $(DATA)/$(1).safetensors
	mkdir -p $$(@D)
	$(LINEAR) $$< $(LINEAR_$(call set_of,$(1))) --weights $(OUT)/linear/$(1).weights.safetensors --weights-at log -o $(OUT)/linear/$(1).safetensors
endef
$(foreach b,$(LARGE),$(eval $(call CLASSIFIER,$(b))))

$(LARGE:%=$(OUT)/linear/%.json): $(OUT)/linear/%.json: $(OUT)/linear/%.safetensors $(OUT)/c3/%.seeds.json
	$(FIND) $< --at $(call INVERTS_AT,$(OUT)/c3/$*.seeds.json) -o $@

$(INVERTING:%=$(OUT)/linear/%.overlap.json): $(OUT)/linear/%.overlap.json: $(OUT)/c3/%.seeds.json $(OUT)/c2/%.seeds.json $(OUT)/linear/%.json
	$(STRAG) compare $^ $(BESIDE) -o $@

$(OUT)/linear/%.png: $(OUT)/linear/%.json
	$(DRAW) $< -o $@

# The same for other sizes of MNIST, whose stragglers C3 finds.
define LINEAR_OF_SIZE
$(OUT)/linear/$(1).safetensors:
	mkdir -p $$(@D)
	$(STRAG) data $(MNIST) --labels $(LABELS) --size $(1) | $(LINEAR) - $(LINEAR_mnist) -o $$@
$(OUT)/linear/$(1).seeds.safetensors:
	mkdir -p $$(@D)
	$(STRAG) data $(MNIST) --labels $(LABELS) --size $(1) | $(TRAIN) - --first-run 100 $(OF_SIZE) -o $$@
$(OUT)/linear/$(1).json: $(OUT)/linear/$(1).safetensors $(OUT)/c3/size/$(1).1.json
	$(FIND) $$< --at $$(call INVERTS_AT,$(OUT)/c3/size/$(1).1.json) -o $$@
$(OUT)/linear/$(1).overlap.json: $(OUT)/c3/size/$(1).1.json $(OUT)/linear/$(1).seeds.json $(OUT)/linear/$(1).json
	$(STRAG) compare $$^ $(BESIDE) -o $$@
endef
$(foreach n,$(LINEAR_SIZES),$(eval $(call LINEAR_OF_SIZE,$(n))))
