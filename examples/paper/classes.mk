# All classes kept apart: one inversion for all, and one per class.
TEN := --lr 0.2 --epochs 400

classes: $(OUT)/classes/mnist.png $(OUT)/classes/together.json $(OUT)/classes/perclass.json

$(OUT)/classes/mnist.safetensors: $(DATA)/mnist.safetensors
	mkdir -p $(@D)
	$(STRAG) data $< --labels classes | $(STRAG) train - --runs $(RUNS) $(TEN) -o $@

$(OUT)/classes/together.json: $(OUT)/classes/mnist.safetensors
	$(FIND) $< -o $@ || test -s $@

$(OUT)/classes/perclass.json: $(OUT)/classes/mnist.safetensors
	$(FIND) $< --per-class -o $@ || test -s $@

$(OUT)/classes/mnist.png: $(OUT)/classes/mnist.safetensors
	$(STRAG) plot $< --dpi 110 -o $@
