# C6, panel 2c: test error, with and without noise on the inputs, against the training error at which the removed
# S(t) was taken, with as many examples at random beside it. One network per set.
SWEEP_RUNS_mnist := 10
SWEEP_TIMES_mnist := --at log --controls random,class
SWEEP_FIND_mnist := --lr 0.2 --epochs 300
SWEEP_TRAIN_mnist := --lr 0.2 --epochs 500

SWEEP_RUNS_fashion := 5
SWEEP_TIMES_fashion := --at log:12 --controls random
SWEEP_FIND_fashion := --lr 0.1 --epochs 500
SWEEP_TRAIN_fashion := --lr 0.1 --epochs 500

SWEEP_RUNS_kmnist := 5
SWEEP_TIMES_kmnist := --at log:12 --controls random
SWEEP_FIND_kmnist := --lr 0.1 --epochs 500
SWEEP_TRAIN_kmnist := --lr 0.1 --epochs 500

SWEEP_RUNS_vehicles := 5
SWEEP_TIMES_vehicles := --at log:12 --controls random
SWEEP_FIND_vehicles := --lr 0.02 --epochs 1000
SWEEP_TRAIN_vehicles := --lr 0.02 --epochs 1000

NOISE := --noise 0 --noise 0.5 --noise 1 --noise 2
SIGMAS := 0 1

c6: $(INVERTING:%=$(OUT)/c6/%.effects.json) $(foreach s,$(SIGMAS),$(INVERTING:%=$(OUT)/c6/%.noise$(s).png))

$(OUT)/c6/%.all.safetensors: $(DATA)/%.safetensors
	mkdir -p $(@D)
	$(TRAIN) $< --runs $(SWEEP_RUNS_$*) $(SWEEP_FIND_$*) $(NOISE) $(FAST) -o $@

$(OUT)/c6/%.sets.safetensors: $(OUT)/c6/%.all.safetensors
	$(STRAG) sets --any-verdict $< $(SWEEP_TIMES_$*) -o $@

# Tested at the end alone: that is what is drawn.
$(OUT)/c6/%.sweep.safetensors: $(DATA)/%.safetensors $(OUT)/c6/%.sets.safetensors
	$(TRAIN) $< --without $(OUT)/c6/$*.sets.safetensors $(SWEEP_TRAIN_$*) --record-every log --test-every $(lastword $(SWEEP_TRAIN_$*)) $(NOISE) $(FAST) -o $@

# Beside each network the same run on all examples, stopped at its inversion and trained as long as the network.
$(OUT)/c6/%.whole.safetensors: $(DATA)/%.safetensors
	mkdir -p $(@D)
	$(TRAIN) $< --runs $(SWEEP_RUNS_$*) $(SWEEP_TRAIN_$*) $(NOISE) $(FAST) -o $@

$(OUT)/c6/%.sweep.json: $(OUT)/c6/%.sweep.safetensors $(OUT)/c6/%.whole.safetensors
	$(FIND) $< --reference $(OUT)/c6/$*.whole.safetensors -o $@

$(OUT)/c6/%.effects.json: $(OUT)/c6/%.sweep.json
	$(STRAG) summary $< -o $@

define NOISY
$(OUT)/c6/%.noise$(1).png: $(OUT)/c6/%.sweep.safetensors $(OUT)/c6/%.whole.safetensors
	$(DRAW) $$< --x error --reference $$(word 2,$$^) --noise $(1) -o $$@
endef
$(foreach s,$(SIGMAS),$(eval $(call NOISY,$(s))))
