# C6, panel 2c: test error, with and without noise on the inputs, against when the removed S(t) was taken, with
# as many examples at random beside it. One network per set.
SWEEP_SETS := $(filter mnist fashion,$(SETS))
SWEEP_RUNS_mnist := 4
SWEEP_RUNS_fashion := 2
SWEEP_RUNS_kmnist := 2
SWEEP = --runs $(SWEEP_RUNS_$*)
SWEEP_FIND := --lr 0.2 --epochs 300
SWEEP_TRAIN := --lr 0.2 --epochs 500
NOISE := --noise 0 --noise 0.5 --noise 1 --noise 2

c6: $(SWEEP_SETS:%=$(OUT)/c6/%.png) $(SWEEP_SETS:%=$(OUT)/c6/%.noisy.png) $(SWEEP_SETS:%=$(OUT)/c6/%.effects.json)

$(OUT)/c6/%.all.safetensors: $(DATA)/%.safetensors
	mkdir -p $(@D)
	$(STRAG) train $< $(SWEEP) $(SWEEP_FIND) $(FAST) -o $@

$(OUT)/c6/%.sets.safetensors: $(OUT)/c6/%.all.safetensors
	$(FIND) $< --per-run --at log --controls random -o $@ || test -s $@

$(OUT)/c6/%.sweep.safetensors: $(DATA)/%.safetensors $(OUT)/c6/%.sets.safetensors
	$(STRAG) train $< --without $(OUT)/c6/$*.sets.safetensors $(SWEEP_TRAIN) --record-every log $(NOISE) $(FAST) -o $@

$(OUT)/c6/%.sweep.json: $(OUT)/c6/%.sweep.safetensors
	$(FIND) $< -o $@ || test -s $@

$(OUT)/c6/%.effects.json: $(OUT)/c6/%.sweep.json
	$(STRAG) summary $< -o $@

$(OUT)/c6/%.noisy.png: $(OUT)/c6/%.sweep.safetensors
	$(STRAG) plot $< --dpi 110 --noise 1 -o $@

$(OUT)/c6/%.png: $(OUT)/c6/%.sweep.safetensors
	$(STRAG) plot $< --dpi 110 --noise 0 -o $@
