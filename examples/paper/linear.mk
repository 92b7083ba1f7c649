# The linear control: a linear classifier stopped at the same training error. Are its errors the stragglers?
LINEAR_mnist := --lr 0.2 --epochs 300
LINEAR_fashion := --lr 0.2 --epochs 600
LINEAR_kmnist := --lr 0.2 --epochs 300
LINEAR_cifar := --lr 0.02 --epochs 3000 --record-every 10
LINEAR_SETS := $(filter-out cifar,$(SETS))

linear: $(LINEAR_SETS:%=$(OUT)/linear/%.overlap.png)

$(OUT)/linear/%.safetensors: $(DATA)/%.safetensors
	mkdir -p $(@D)
	$(STRAG) train $< --depth 1 --runs $(RUNS) $(LINEAR_$*) -o $@

$(OUT)/linear/%.json: $(OUT)/linear/%.safetensors $(OUT)/c1/%.json
	$(FIND) $< --at error:$$($(STRAG) info $(OUT)/c1/$*.json --get summary.train_error_mean) -o $@ || test -s $@

# The ceiling: the stragglers of as many other seeds.
$(OUT)/linear/%.overlap.json: $(OUT)/c1/%.json $(OUT)/c2/%.seeds.json $(OUT)/linear/%.json
	$(STRAG) compare $^ --label stragglers --label 'of other seeds' --label 'errors of a linear classifier' -o $@

$(OUT)/linear/%.png: $(OUT)/linear/%.json
	$(STRAG) plot $< --dpi 110 -o $@
