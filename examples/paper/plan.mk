# What the trainings of the study cost at most: each kind of training is planned by a short trial, then multiplied by the
# number of such trainings. Runs that end when they are decided count with their limit, which few of them reach.

# Planned: the training $(1), of which there are $(4), on the block $(2) with the options $(3) of the command $(5).
define PLANNED
PLANS += $(OUT)/plan/$(1).x$(4).json
$(OUT)/plan/$(1).x$(4).json: $(DATA)/$(2).safetensors
	mkdir -p $$(@D)
	$(or $(5),$(STRAG) train $(NETWORK)) $$< $(3) --plan -q > $$@
endef
plan_of = $(eval $(call PLANNED,$(1),$(2),$(3),$(or $(4),1),$(5)))
product = $(shell echo $$(($(subst $(eval ) ,*,$(strip $(1))))))

# The first block of a set, and of its small ones, stands for all of them.
STANDING := $(foreach d,$(INVERTING),$(d) $(firstword $(SMALL_$(d))))
like = $(words $(if $(findstring -s,$(1)),$(SMALL_$(call set_of,$(1))),$(BLOCKS_$(1))))
# Networks that leave out sets: for each run its own and a dose, each with two controls.
left_out = $(call product,$(call runs_of,$(1)) $(or $(NETWORKS_$(1)),6))
NETWORKS_mnist := 24

$(foreach d,$(SETS),$(call plan_of,c1.$(d),$(d),--runs $(RUNS) $(TRAIN_$(d))))
$(foreach d,$(filter cifar,$(SETS)),$(call plan_of,c1.$(d).adam,$(d),$(ADAM_cifar)))
$(foreach d,$(INVERTING),$(call plan_of,c2.$(d),$(d),$(call options_of,$(d),seeds)))
$(foreach b,$(STANDING),$(foreach c,$(call conditions_of,$(b)),$(call plan_of,c3.$(b).$(c),$(b),$(call options_of,$(b),$(c)),$(if $(filter $(DEEPER),$(c)),1,$(call like,$(b))))))
$(foreach b,$(STANDING),$(call plan_of,c4.$(b),$(b),--runs $(call left_out,$(b)) --lr $(call lr_of,$(b)) $(LONG) $(FAST),$(call like,$(b))))
$(foreach d,$(UNION),$(call plan_of,c4.$(d).union,$(d),--runs $(call left_out,$(d)) --lr $(LR_$(d)) $(LONG) $(FAST)))
$(foreach d,$(INVERTING),$(call plan_of,c4.$(d).linear,$(d),--runs $(call runs_of,$(d)) --lr $(call lr_of,$(d)) $(LONG) $(FAST),$(call like,$(d))))
$(foreach d,$(INVERTING),$(call plan_of,c4.$(d).curves,$(d),--runs $(RUNS) --lr $(LR_$(d)) --epochs $(CURVED_$(d)) --record-every log $(FAST),3))
$(foreach d,$(INVERTING),$(call plan_of,c5.$(d),$(d),--runs $(call product,2 $(or $(PAIRS_$(d)),$(PAIRS))) $(AGREE_$(d)) --test-every never $(FAST)))
$(foreach d,$(INVERTING),$(call plan_of,c6.$(d),$(d),--runs $(call product,3 $(call sweep_runs,$(d)) $(or $(TIMES_$(d)),12)) $(SWEEP_TRAIN_$(d)) --record-every log $(FAST)))
$(foreach d,$(INVERTING),$(foreach o,FIND TRAIN,$(call plan_of,c6.$(d).$(o),$(d),--runs $(call sweep_runs,$(d)) $(SWEEP_$(o)_$(d)) $(NOISE) $(FAST))))
$(foreach d,$(INVERTING),$(foreach n,$(NETS_KINDS),$(call plan_of,linear.$(d).$(n),$(d),--runs $(RUNS) $(NETS_$(d)) $(BIAS_$(n)))))
$(foreach d,$(INVERTING),$(call plan_of,linear.$(d),$(d),$(LINEAR_$(d)),$(call like,$(d)),$(LINEAR)))
$(foreach d,$(INVERTING),$(call plan_of,expansion.$(d),$(d),--runs $(RUNS) $(TRAIN_$(d))))
$(foreach d,$(INVERTING),$(call plan_of,noise.$(d),$(d),$(call NOISE_TRAIN,$(d)),$(words 0 $(NOISES))))
tstar_points = $(words $(1) $(CHANGES) $(filter $(1)-%,$(TASKS)) $(if $(filter vehicles,$(1)),fliers))
$(foreach d,$(filter $(SETS),$(TSTAR_SETS)),$(call plan_of,tstar.$(d),$(d),$(TSTAR_TRAIN) --lr $(LR_$(d)),$(call tstar_points,$(d))))
$(call plan_of,classes,mnist,--runs $(RUNS) $(TEN))
TIMES_mnist := 39

# Convolutional networks, which are not in `all`.
conv_plan_of = $(call plan_of,conv.$(1),$(2),$(3),$(4),$(STRAG) train)
$(foreach c,$(CONVS),$(call conv_plan_of,$(c),$(call conv_set,$(c))-p$(CONV_SIZE),$(call conv_options,$(c)),1))
$(foreach d,$(CONV_SETS),$(call plan_of,conv.$(d).mlp,$(d)-p$(CONV_SIZE),$(call conv_mlp,$(d)),1))
$(foreach e,$(CONV_CAUSE),$(call conv_plan_of,left.$(e),$(call conv_set,$(e))-p$(CONV_SIZE),$(call conv_left,$(e)),$(words $(CONV_LEFT))))
$(foreach e,$(CONV_CAUSE),$(call plan_of,conv.left.mlp.$(e),$(call conv_set,$(e))-p$(CONV_SIZE),$(call conv_mlp,$(call conv_set,$(e))),$(words $(CONV_LEFT))))
$(foreach d,$(CONV_LARGE),$(call conv_plan_of,large.$(d),$(d),$(conv_large),1))

# Planned on the first $(2) images of MNIST: the training $(1), of which there are $(4), by the command $(3).
define PLANNED_SIZE
PLANS += $(OUT)/plan/$(1).x$(4).json
$(OUT)/plan/$(1).x$(4).json:
	mkdir -p $$(@D)
	$(STRAG) data $(SOURCE_mnist) --size $(2) -q | $(3) --plan -q > $$@
endef
plan_size = $(eval $(call PLANNED_SIZE,$(1),$(2),$(3),$(4)))
$(foreach p,$(SIZES),$(call plan_size,c3.size$(p),$(p),$(STRAG) train $(NETWORK) - $(OF_SIZE),$(words $(filter $(p).%,$(PARTS)))))
$(foreach p,$(LINEAR_SIZES),$(call plan_size,linear.size$(p),$(p),$(LINEAR) - $(LINEAR_mnist),1))
$(foreach p,$(LINEAR_SIZES),$(call plan_size,linear.size$(p).seeds,$(p),$(STRAG) train $(NETWORK) - $(OF_SIZE),1))

plan: $(PLANS)
	@for plan in $^; do echo "$$plan $$($(STRAG) info "$$plan" --get seconds)"; done | \
	  awk '{ n = $$1; sub(".*[.]x", "", n); printf "%6.0f s  %s\n", n * $$2, $$1; \
	    if ($$1 ~ /plan.conv[.]/) conv += n * $$2; else sum += n * $$2 } \
	    END { printf "trainings: at most %.1f hours in all, and %.1f hours for conv\n", sum / 3600, conv / 3600 }'
