# What the study costs: every training planned by a short trial, then the sum. The sweeps have a network
# per set, as many for each run as SWEEP_TIMES and its controls make.
SWEEP_SETS_mnist := 117
SWEEP_SETS_fashion := 24
SWEEP_SETS_kmnist := 24
SWEEP_SETS_vehicles := 24

# Planned training $(1) on data set $(2) with the options $(3) of the command $(4), else TRAIN.
define PLANNED
PLANS += $(OUT)/plan/$(1).json
$(OUT)/plan/$(1).json: $(DATA)/$(2).safetensors
	mkdir -p $$(@D)
	$(or $(4),$(TRAIN)) $$< $(3) --plan -q > $$@
endef
plan_of = $(eval $(call PLANNED,$(1),$(2),$(3),$(4)))
times = $(shell echo $$(($(1) * $(2))))

$(foreach d,$(SETS),$(call plan_of,c1.$(d),$(d),--runs $(RUNS) $(TRAIN_$(d))))
$(foreach d,$(INVERTING),$(foreach o,$(TRAINED),$(call plan_of,c2.$(d).$(o),$(d),--runs $(RUNS) $(call c2_train,$(d)) $(OTHER_$(o)))))
$(foreach c,$(WHOLE) $(DEEP),$(call plan_of,c3.$(c),mnist,$(OPTIONS_$(c))))
$(call plan_of,c4,mnist,--runs $(call times,$(CAUSE_RUNS),24) $(CAUSE) $(FAST))
$(call plan_of,c4.whole,mnist,--runs $(call times,$(CAUSE_RUNS),4) $(CAUSE))
$(foreach d,$(INVERTING),$(foreach o,later control linear,$(call plan_of,c4.$(d).$(o),$(d),$(LATER_$(d)) $(FAST))))
$(call plan_of,c5,mnist,--runs $(call times,2,$(PAIRS)) --lr 0.2 --epochs 65 --test-every never $(FAST))
$(foreach d,$(INVERTING),$(call plan_of,c6.$(d),$(d),--runs $(call times,$(SWEEP_RUNS_$(d)),$(SWEEP_SETS_$(d))) $(SWEEP_TRAIN_$(d)) --record-every log $(FAST)))
$(foreach d,$(INVERTING),$(call plan_of,linear.$(d),$(d),$(LINEAR_$(d)),$(LINEAR)))
$(foreach d,$(INVERTING),$(foreach o,FIND TRAIN,$(call plan_of,c6.$(d).$(o),$(d),--runs $(SWEEP_RUNS_$(d)) $(SWEEP_$(o)_$(d)) $(NOISE) $(FAST))))
$(foreach d,$(filter cifar,$(SETS)),$(call plan_of,c1.$(d).adam,$(d),$(ADAM_cifar)))
$(call plan_of,classes,mnist,--runs $(RUNS) $(TEN))


# The same on the first $(2) images of MNIST.
define PLANNED_SIZE
PLANS += $(OUT)/plan/$(1).json
$(OUT)/plan/$(1).json:
	mkdir -p $$(@D)
	$(STRAG) data $(MNIST) --labels $(LABELS) --size $(2) -q | $(or $(4),$(TRAIN)) - $(3) --plan -q > $$@
endef
$(foreach p,$(SIZES),$(eval $(call PLANNED_SIZE,c3.size$(p),$(p),--runs $(call times,$(RUNS),$(words $(filter $(p).%,$(PARTS)))) $(BASE))))
$(foreach p,$(LINEAR_SIZES),$(eval $(call PLANNED_SIZE,linear.$(p),$(p),$(LINEAR_mnist),$(LINEAR))))
$(foreach p,$(LINEAR_SIZES),$(eval $(call PLANNED_SIZE,linear.$(p).seeds,$(p),--runs $(RUNS) $(BASE))))

plan: $(PLANS)
	@for plan in $^; do echo "$$plan $$($(STRAG) info $$plan --get seconds)"; done | \
	  awk '{ printf "%6.0f s  %s\n", $$2, $$1; sum += $$2 } END { printf "%.0f minutes in all\n", sum / 60 }'
