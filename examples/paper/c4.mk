# C4, panel 2a, and dose: what is left of the inversion without the stragglers, without a part of them, most
# frequent first, and without as many examples at random, or of the same classes. One network per set.
CAUSE_RUNS := 10
CAUSE := --lr 0.1 --epochs 300

c4: $(OUT)/c4/sweep.png $(OUT)/c4/effects.json $(OUT)/c4/dynamics.png

$(OUT)/c4/all.safetensors: $(DATA)/mnist.safetensors
	mkdir -p $(@D)
	$(STRAG) train $< --runs $(CAUSE_RUNS) $(CAUSE) $(FAST) -o $@

$(OUT)/c4/sets.safetensors: $(OUT)/c4/all.safetensors
	$(FIND) $< --per-run --dose 0.1,0.25,0.5,0.75,1 --controls random,class -o $@ || test -s $@

$(OUT)/c4/sweep.safetensors: $(DATA)/mnist.safetensors $(OUT)/c4/sets.safetensors
	$(STRAG) train $< --without $(OUT)/c4/sets.safetensors $(CAUSE) $(FAST) -o $@

$(OUT)/c4/all.json $(OUT)/c4/sweep.json: %.json: %.safetensors
	$(FIND) $< -o $@ || test -s $@

# The errors of a linear classifier in place of the stragglers.
$(OUT)/c4/linear.safetensors: $(DATA)/mnist.safetensors $(OUT)/linear/mnist.json
	$(STRAG) train $< --runs $(RUNS) $(CAUSE) --without $(OUT)/linear/mnist.json -o $@

$(OUT)/c4/pruned.safetensors: $(DATA)/mnist.safetensors $(OUT)/c4/all.json
	$(STRAG) train $< --runs $(RUNS) $(CAUSE) --without $(OUT)/c4/all.json -o $@

$(OUT)/c4/random.safetensors: $(DATA)/mnist.safetensors $(OUT)/c4/all.json
	$(STRAG) prune $< $(OUT)/c4/all.json --random 1 | $(STRAG) train - --runs $(RUNS) $(CAUSE) -o $@

$(OUT)/c4/linear.json $(OUT)/c4/pruned.json $(OUT)/c4/random.json: %.json: %.safetensors
	$(FIND) $< -o $@ || test -s $@

$(OUT)/c4/dynamics.png: $(OUT)/c4/all.safetensors $(OUT)/c4/pruned.safetensors $(OUT)/c4/random.safetensors $(OUT)/c4/linear.safetensors
	$(STRAG) plot $^ --dpi 110 --label 'all examples' --label 'without stragglers' --label 'without as many at random' --label 'without the errors of a linear classifier' -o $@

$(OUT)/c4/effects.json: $(OUT)/c4/sweep.json
	$(STRAG) summary $^ -o $@

$(OUT)/c4/sweep.png: $(OUT)/c4/sweep.safetensors
	$(STRAG) plot $< --dpi 110 -o $@
