# C6, panel 2c: test error, with and without noise on the inputs, against the training error at which the removed
# S(t) was taken, compared with as many examples at random and as many of the hardest that are in no run's S(t). One
# network per set, all trained for the same number of updates.
SWEEP_RUNS_mnist := 10
SWEEP_TIMES_mnist := --at log
SWEEP_FIND_mnist := --lr 0.2 --epochs 300
SWEEP_TRAIN_mnist := --lr 0.2 --epochs 500

SWEEP_RUNS := 5
SWEEP_TIMES := --at log:12
SWEEP_FIND_fashion := --lr 0.1 --epochs 500
SWEEP_TRAIN_fashion := --lr 0.1 --epochs 500
SWEEP_FIND_kmnist := --lr 0.1 --epochs 500
SWEEP_TRAIN_kmnist := --lr 0.1 --epochs 500
SWEEP_FIND_vehicles := --lr 0.02 --epochs 1000
SWEEP_TRAIN_vehicles := --lr 0.02 --epochs 1000
SWEEP_CONTROLS := random,hard
sweep_runs = $(or $(SWEEP_RUNS_$(1)),$(SWEEP_RUNS))

NOISE := --noise 0 --noise 0.5 --noise 1 --noise 2
SIGMAS := 0 1

c6: $(INVERTING:%=$(OUT)/c6/%.effects.json) $(foreach s,$(SIGMAS),$(INVERTING:%=$(OUT)/c6/%.noise$(s).png))

$(OUT)/c6/%.all.safetensors: $(DATA)/%.safetensors
	mkdir -p $(@D)
	$(TRAIN) $< --runs $(call sweep_runs,$*) $(SWEEP_FIND_$*) --test-every never $(FAST) -o $@

$(OUT)/c6/%.sets.safetensors: $(OUT)/c6/%.all.safetensors
	$(STRAG) sets --any-verdict $< $(or $(SWEEP_TIMES_$*),$(SWEEP_TIMES)) --controls $(SWEEP_CONTROLS) -o $@

# Tested at the end alone: that is what is drawn.
$(OUT)/c6/%.sweep.safetensors: $(DATA)/%.safetensors $(OUT)/c6/%.sets.safetensors
	$(TRAIN) $< --without $(OUT)/c6/$*.sets.safetensors $(SWEEP_TRAIN_$*) --record-every log --test-every $(lastword $(SWEEP_TRAIN_$*)) $(NOISE) $(FAST) -o $@

# For comparison, the same runs on all examples, stopped at their inversion and trained as long as the networks.
$(OUT)/c6/%.whole.safetensors: $(DATA)/%.safetensors
	mkdir -p $(@D)
	$(TRAIN) $< --runs $(call sweep_runs,$*) $(SWEEP_TRAIN_$*) $(NOISE) $(FAST) -o $@

$(OUT)/c6/%.sweep.json: $(OUT)/c6/%.sweep.safetensors $(OUT)/c6/%.whole.safetensors
	$(FIND) $< --reference $(OUT)/c6/$*.whole.safetensors -o $@

$(OUT)/c6/%.effects.json: $(OUT)/c6/%.sweep.json
	$(STRAG) summary $< -o $@

define NOISY
$(OUT)/c6/%.noise$(1).png: $(OUT)/c6/%.sweep.safetensors $(OUT)/c6/%.whole.safetensors
	$(DRAW) $$< --x error --reference $$(word 2,$$^) --noise $(1) -o $$@
endef
$(foreach s,$(SIGMAS),$(eval $(call NOISY,$(s))))
