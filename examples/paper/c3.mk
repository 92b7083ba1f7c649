# C3: the training error at the inversion, under initialisations, learning rates, optimisers, architectures,
# blocks and sizes of the data. Every condition is run on every block of every set; the small blocks show only how far
# blocks differ.
# All have bfloat16 operands but `seeds`, whose sets C4 leaves out; `bfloat16` is the same, as the reference.
CONDITIONS := seeds bfloat16 half double momentum adam batch relu width10 width50 width100 depth3
# On the first block of MNIST alone.
DEEPER := depth4 depth5
FACTOR_half := 0.5
FACTOR_double := 2
FACTOR_momentum := 0.1
FACTOR_batch := 0.5
MORE_momentum := --momentum 0.9
MORE_adam := --optimizer adam
MORE_batch := --batch-size 256
MORE_relu := --activation relu
$(foreach n,10 50 100,$(eval MORE_width$(n) := --width $(n)))
$(foreach n,3 4 5,$(eval MORE_depth$(n) := --depth $(n) --layers all))
# These have as many runs as the set has; the other conditions are compared run by run.
MANY := seeds bfloat16
# A hundredth of the learning rate of gradient descent where that is 0.1.
LR_adam := 0.001
LR_adam_vehicles := 0.0005

times = $(shell awk 'BEGIN { print $(1) * $(2) }')
lr_in = $(if $(filter adam,$(2)),$(or $(LR_adam_$(call set_of,$(1))),$(LR_adam)),$(call times,$(call lr_of,$(1)),$(or $(FACTOR_$(2)),1)))
options_of = --runs $(if $(filter $(MANY),$(2)),$(call runs_of,$(1)),$(RUNS)) --lr $(call lr_in,$(1),$(2)) $(MORE_$(2)) $(if $(filter batch,$(2)),--until decided,$(UNTIL)) $(if $(filter-out seeds,$(2)),$(FAST))

define CONDITION
$(OUT)/c3/$(1).$(2).safetensors: $(DATA)/$(1).safetensors
	mkdir -p $$(@D)
	$(TRAIN) $$< $(call options_of,$(1),$(2)) -o $$@
endef
conditions_of = $(if $(findstring -s,$(1)),$(MANY),$(CONDITIONS) $(if $(filter mnist,$(1)),$(DEEPER)))
$(foreach b,$(BLOCKS),$(foreach c,$(call conditions_of,$(b)),$(eval $(call CONDITION,$(b),$(c)))))

define LAYER
$(OUT)/c3/%.layer$(1).json: $(OUT)/c3/%.safetensors
	$(FIND) $$< --layer $(1) -o $$@
endef
$(foreach l,1 2 3 4,$(eval $(call LAYER,$(l))))

# What is found in one training, and on all blocks of a set.
layers_of = $(if $(filter depth%,$(1)),$(foreach l,$(shell seq $$(($(1:depth%=%) - 1))),$(1).layer$(l)),$(1))
found_in = $(foreach c,$(call conditions_of,$(1)),$(foreach l,$(call layers_of,$(c)),$(OUT)/c3/$(1).$(l).json))
C3 := $(foreach d,$(INVERTING),$(d) $(if $(SMALL_$(d)),$(d)-small))
blocks_in = $(if $(filter %-small,$(1)),$(SMALL_$(1:%-small=%)),$(BLOCKS_$(1)))

c3: $(C3:%=$(OUT)/c3/%.effects.json) $(C3:%=$(OUT)/c3/%.effects.png) $(OUT)/c3/size.json $(OUT)/c3/size.png

define EFFECTS
$(OUT)/c3/$(1).effects.json: $(foreach b,$(call blocks_in,$(1)),$(call found_in,$(b)))
	$(STRAG) summary $$^ -o $$@
endef
$(foreach d,$(C3),$(eval $(call EFFECTS,$(d))))

$(OUT)/c3/%.png: $(OUT)/c3/%.json
	$(DRAW) $< -o $@

# Disjoint blocks of every size of MNIST: block b of P images is images (b - 1) P to b P.
PARTS_OF := 1 2 3 4 5
# Images in MNIST, which the blocks divide.
IMAGES := 60000
SIZES := 512 1024 2048 4096 8192 16384 32768 60000
PARTS := $(foreach p,$(SIZES),$(foreach b,$(PARTS_OF),$(shell test $$(($(p) * $(b))) -le $(IMAGES) && echo $(p).$(b))))
OF_SIZE := --runs $(RUNS) --lr 0.2 $(UNTIL) $(FAST)

define PART
$(OUT)/c3/size/$(1).safetensors:
	mkdir -p $$(@D)
	$(STRAG) data $(SOURCE_mnist) --size $(basename $(1)) --block $(subst .,,$(suffix $(1))) | $(TRAIN) - $(OF_SIZE) -o $$@
endef
$(foreach part,$(PARTS),$(eval $(call PART,$(part))))

$(OUT)/c3/size.json: $(PARTS:%=$(OUT)/c3/size/%.json)
	$(STRAG) summary $^ -o $@
