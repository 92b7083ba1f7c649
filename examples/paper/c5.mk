# C5, panel 2d: how far pairs of runs misclassify the same examples, along training.
PAIRS := 500

c5: $(OUT)/c5/agreement.png

$(OUT)/c5/history.safetensors: $(DATA)/mnist.safetensors
	mkdir -p $(@D)
	$(TRAIN) $< --runs $$((2 * $(PAIRS))) --lr 0.2 --epochs 250 --test-every never $(FAST) -o $@

$(OUT)/c5/agreement.json: $(OUT)/c5/history.safetensors
	$(STRAG) stability $< -o $@

$(OUT)/c5/agreement.png: $(OUT)/c5/agreement.json
	$(DRAW) $< -o $@
