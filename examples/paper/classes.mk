# All classes kept apart: one inversion for all, and one per class; which classes straggle, and which are
# misclassified in the test set.
TEN := --lr 0.2 --epochs 600

classes: $(OUT)/classes/mnist.png $(OUT)/classes/byclass.png $(OUT)/classes/effects.json

$(OUT)/classes/mnist.safetensors: $(DATA)/mnist.safetensors
	mkdir -p $(@D)
	$(STRAG) data $< --labels classes | $(TRAIN) - --runs $(RUNS) $(TEN) -o $@

$(OUT)/classes/together.json: $(OUT)/classes/mnist.safetensors
	$(FIND) $< -o $@

$(OUT)/classes/perclass.json: $(OUT)/classes/mnist.safetensors
	$(FIND) $< --per-class -o $@

$(OUT)/classes/mnist.png: $(OUT)/classes/mnist.safetensors
	$(DRAW) $< -o $@

$(OUT)/classes/byclass.png: $(OUT)/classes/perclass.json
	$(DRAW) $< --by-class -o $@

$(OUT)/classes/effects.json: $(OUT)/classes/together.json $(OUT)/classes/perclass.json
	$(STRAG) summary $^ --label 'all classes together' --label 'one inversion per class' -o $@
