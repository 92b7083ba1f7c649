# C2, Fig. 3: do convolutional networks invert? Each layer, its map flattened or its mean over positions, with two
# activations, on the first images of four tasks, one of them also in colour. A study of its own: hours, by parts.
#
# `make conv` is not in `all`. `make -j2 conv` trains two at a time, the first run of every condition first.
CONV_SETS := $(filter $(SETS) $(if $(filter vehicles,$(SETS)),colour),mnist fashion kmnist vehicles colour)
CONV_ACTS := tanh relu
CONV_SIZE := 2048
CONV_RUNS := 10
CONV_PARTS := 1 2 3 4 5 6 7 8 9 10
SOURCE_colour = $(CIFAR) --labels 0-1,8-9/2-7
# Learning rates at which the loss falls monotonically, in trials, to far beyond the first valley. A condition whose loss rose
# earlier in the full runs has half the learning rate, and twice the updates.
CONV_LR_tanh := 0.05
CONV_LR_relu := 0.03
CONV_LR_vehicles.tanh := 0.02
CONV_HALVED := fashion.relu kmnist.relu vehicles.relu colour.relu colour.tanh
$(foreach c,fashion.relu kmnist.relu,$(eval CONV_LR_$(c) := 0.015))
$(foreach c,vehicles.relu colour.relu,$(eval CONV_LR_$(c) := 0.005))
CONV_LR_colour.tanh := 0.01
conv_lr = $(or $(CONV_LR_$(1)),$(CONV_LR_$(call conv_act,$(1))))
CONV_LAYERS := conv1 conv2 conv1-mean conv2-mean
# The limit: at least five times the t* of perceptrons, in units of 1 / lr.
CONV_EPOCHS := 2000
CONV_EPOCHS_long := 4000
conv_epochs = $(if $(filter mnist.% $(CONV_HALVED),$(1)),$(CONV_EPOCHS_long),$(CONV_EPOCHS))
comma := ,
ALL_CONV := --layers $(subst $(eval ) ,$(comma),$(CONV_LAYERS:%-mean=%:mean))
CONV := --model cnn --until decided --record-every 4 --test-every never --threads 1

CONV_DATA := $(foreach d,$(CONV_SETS),$(d)-p$(CONV_SIZE))
$(foreach d,$(CONV_DATA),$(call block_of,$(d),$(CONV_SIZE),1))

# More images, with tanh, in the first layer.
CONV_LARGE := $(filter mnist fashion,$(CONV_SETS))
CONV_LARGE_RUNS := 3
CONV_LARGE_PARTS := 1 2 3

# The set and the activation of mnist.tanh.
conv_set = $(word 1,$(subst ., ,$(1)))
conv_act = $(word 2,$(subst ., ,$(1)))
CONV_SOURCES := mlp $(CONV_ACTS)
CONVS := $(foreach d,$(CONV_SETS),$(foreach a,$(CONV_ACTS),$(d).$(a)))

# Those of a condition, and those of a condition and a layer without some examples, for fewer runs.
conv_options = $(CONV) $(ALL_CONV) --activation $(call conv_act,$(1)) --lr $(call conv_lr,$(1)) --epochs $(call conv_epochs,$(1)) \
  --runs $(CONV_RUNS)
conv_left = $(CONV) --layers $(subst -,:,$(call conv_layer,$(1))) --activation $(call conv_act,$(1)) \
  --lr $(or $(CONV_LR_$(1).$(2)),$(call conv_lr,$(basename $(1)))) --epochs $(call conv_epochs,$(basename $(1))) \
  --runs $(CONV_CAUSE_RUNS)
conv_large = $(CONV) --layers conv1 --activation tanh --lr $(CONV_LR_tanh) --epochs $(CONV_EPOCHS) --runs $(CONV_LARGE_RUNS)

define CONV_PART
$(OUT)/conv/$(1).part$(2).safetensors: $(DATA)/$(call conv_set,$(1))-p$(CONV_SIZE).safetensors
	mkdir -p $$(@D)
	$(STRAG) train --resume $$< $(call conv_options,$(1)) --part $(2)/$(words $(CONV_PARTS)) -o $$@
endef
$(foreach c,$(CONVS),$(foreach p,$(CONV_PARTS),$(eval $(call CONV_PART,$(c),$(p)))))

define CONV_LARGE_PART
$(OUT)/conv/$(1).large.part$(2).safetensors: $(DATA)/$(1).safetensors
	mkdir -p $$(@D)
	$(STRAG) train --resume $$< $(conv_large) --part $(2)/$(words $(CONV_LARGE_PARTS)) -o $$@
endef
$(foreach d,$(CONV_LARGE),$(foreach p,$(CONV_LARGE_PARTS),$(eval $(call CONV_LARGE_PART,$(d),$(p)))))

# All parts of a condition, once they are there.
define CONV_WHOLE
$(OUT)/conv/$(1).safetensors: $(2:%=$(OUT)/conv/$(1).part%.safetensors)
	$(STRAG) merge $$^ -o $$@
endef
$(foreach c,$(CONVS),$(eval $(call CONV_WHOLE,$(c),$(CONV_PARTS))))
$(foreach d,$(CONV_LARGE),$(eval $(call CONV_WHOLE,$(d).large,$(CONV_LARGE_PARTS))))

# Perceptrons on the same images.
conv_mlp = --runs $(CONV_RUNS) --lr $(or $(LR_$(1)),$(LR_vehicles)) $(UNTIL) --test-every never $(FAST)
$(CONV_SETS:%=$(OUT)/conv/%.mlp.safetensors): $(OUT)/conv/%.mlp.safetensors: $(DATA)/%-p$(CONV_SIZE).safetensors
	mkdir -p $(@D)
	$(TRAIN) $< $(call conv_mlp,$*) -o $@

# What is found in every layer, at its own inversion.
define CONV_LAYER
$(OUT)/conv/%.$(1).json: $(OUT)/conv/%.safetensors
	$(FIND) $$< --layer $(1:%-mean=%:mean) -o $$@
endef
$(foreach l,$(CONV_LAYERS),$(eval $(call CONV_LAYER,$(l))))
CONV_EACH := $(foreach c,$(CONVS),$(foreach l,$(CONV_LAYERS),$(c).$(l)))
conv_label = --label '$(subst -, ,$(subst ., ,$(1)))'
$(OUT)/conv/effects.json: $(CONV_EACH:%=$(OUT)/conv/%.json) $(CONV_LARGE:%=$(OUT)/conv/%.large.json)
	$(STRAG) summary $^ $(foreach e,$(CONV_EACH) $(CONV_LARGE:%=%.large),$(call conv_label,$(e))) -o $@
$(OUT)/conv/perceptrons.json: $(CONV_SETS:%=$(OUT)/conv/%.mlp.json)
	$(STRAG) summary $^ $(CONV_SETS:%=--label %) -o $@

$(OUT)/conv/conv.json $(CONV_ACTS:%=$(OUT)/conv/%.png) &: conv.py $(CONV_EACH:%=$(OUT)/conv/%.json)
	$(PYTHON) conv.py $(OUT)/conv --names $(CONVS) --layers $(CONV_LAYERS:%-mean=%:mean)

CONV_RESULTS := $(foreach n,effects perceptrons left conv,$(OUT)/conv/$(n).json) $(CONV_SETS:%=$(OUT)/conv/%.overlap.json)
CONV_PICTURES := $(CONV_ACTS:%=$(OUT)/conv/%.png)
conv: $(foreach p,$(CONV_PARTS),$(CONVS:%=$(OUT)/conv/%.part$(p).safetensors)) $(CONV_RESULTS) $(CONV_PICTURES)

# The errors of single runs where they are as many as those of the perceptrons at their inversion.
define CONV_SINGLE
$(OUT)/conv/$(1).$(2).single.safetensors: $(OUT)/conv/$(1).$(2).safetensors $(OUT)/conv/$(1).mlp.json
	$(STRAG) sets --any-verdict $$< --at $$(call INVERTS_AT,$(OUT)/conv/$(1).mlp.json) -o $$@
endef
$(foreach d,$(CONV_SETS),$(foreach n,$(CONV_SOURCES),$(eval $(call CONV_SINGLE,$(d),$(n)))))
$(CONV_SETS:%=$(OUT)/conv/%.overlap.json): $(OUT)/conv/%.overlap.json: $(foreach n,$(CONV_SOURCES),$(OUT)/conv/%.$(n).single.safetensors)
	$(STRAG) compare $^ --label perceptron $(CONV_ACTS:%=--label %) -o $@

# Where a layer inverts, SET.ACTIVATION.LAYER: does it without the perceptrons' stragglers, or without as many examples at
# random, or the hardest others? And the reverse, perceptrons without the stragglers of the convolutional networks.
CONV_CAUSE := $(patsubst %,%.relu.conv2,$(filter mnist kmnist,$(CONV_SETS)))
CONV_CAUSE_RUNS := 3
CONV_LEFT := none random hard
# Without the stragglers the loss falls faster, and rises with a higher learning rate.
$(foreach k,$(CONV_LEFT),$(eval CONV_LR_kmnist.relu.conv2.$(k) := 0.01))
conv_layer = $(word 3,$(subst ., ,$(1)))
FROM_MLP := $(foreach e,$(CONV_CAUSE),$(foreach k,$(CONV_LEFT),$(e).$(k)))

$(CONV_SETS:%=$(OUT)/conv/%.mlp.sets.safetensors): $(OUT)/conv/%.mlp.sets.safetensors: $(OUT)/conv/%.mlp.safetensors
	$(STRAG) sets --any-verdict $< --dose 1 --controls random,hard -o $@
define CONV_SETS_OF
$(OUT)/conv/$(1).sets.safetensors: $(OUT)/conv/$(call conv_set,$(1)).$(call conv_act,$(1)).safetensors
	$(STRAG) sets --any-verdict $$< --layer $(subst -,:,$(call conv_layer,$(1))) --dose 1 --controls random,hard -o $$@
endef
$(foreach e,$(CONV_CAUSE),$(eval $(call CONV_SETS_OF,$(e))))

# $(1): set, activation and layer, $(2): what is left out.
define CONV_WITHOUT
$(OUT)/conv/left/$(1).$(2).data.safetensors: $(OUT)/conv/$(call conv_set,$(1)).mlp.sets.safetensors leave_out.py
	mkdir -p $$(@D)
	$(PYTHON) leave_out.py $$< $(DATA)/$(call conv_set,$(1))-p$(CONV_SIZE).safetensors $$@ --control $(2)
$(OUT)/conv/left/$(1).$(2).safetensors: $(OUT)/conv/left/$(1).$(2).data.safetensors
	$(STRAG) train --resume $$< $(call conv_left,$(1),$(2)) -o $$@
$(OUT)/conv/left/mlp.$(1).$(2).data.safetensors: $(OUT)/conv/$(1).sets.safetensors leave_out.py
	mkdir -p $$(@D)
	$(PYTHON) leave_out.py $$< $(DATA)/$(call conv_set,$(1))-p$(CONV_SIZE).safetensors $$@ --control $(2)
$(OUT)/conv/left/mlp.$(1).$(2).safetensors: $(OUT)/conv/left/mlp.$(1).$(2).data.safetensors
	$(TRAIN) $$< $(call conv_mlp,$(call conv_set,$(1))) -o $$@
endef
$(foreach e,$(CONV_CAUSE),$(foreach k,$(CONV_LEFT),$(eval $(call CONV_WITHOUT,$(e),$(k)))))
$(OUT)/conv/left.json: $(foreach e,$(FROM_MLP),$(OUT)/conv/left/$(e).json $(OUT)/conv/left/mlp.$(e).json)
	$(STRAG) summary $^ $(foreach e,$(FROM_MLP),$(call conv_label,$(e)) $(call conv_label,perceptron.$(e))) -o $@
