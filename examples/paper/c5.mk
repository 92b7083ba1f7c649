# C5, panel 2d: how far pairs of runs misclassify the same examples, along training. z needs hundreds of pairs, which
# only MNIST has.
PAIRS := 15
PAIRS_mnist := 500
AGREE_mnist := --lr 0.2 --epochs 250
AGREE_fashion := --lr $(LR_fashion) --epochs 600
AGREE_kmnist := --lr $(LR_kmnist) --epochs 400
AGREE_vehicles := --lr $(LR_vehicles) --epochs 1000

c5: $(INVERTING:%=$(OUT)/c5/%.png)

$(OUT)/c5/%.safetensors: $(DATA)/%.safetensors
	mkdir -p $(@D)
	$(TRAIN) $< --runs $$((2 * $(or $(PAIRS_$*),$(PAIRS)))) $(AGREE_$*) --test-every never $(FAST) -o $@

$(OUT)/c5/%.json: $(OUT)/c5/%.safetensors
	$(STRAG) stability $< -o $@

$(OUT)/c5/%.png: $(OUT)/c5/%.json
	$(DRAW) $< -o $@
