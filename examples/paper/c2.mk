# C2, Fig. 3: do other networks and optimisers have the same stragglers? A map of overlaps per data set.
OTHERS := seeds width100 depth3 relu adam linear
C2_SETS := $(filter-out cifar,$(SETS))
C2_TRAIN := --lr 0.1 --epochs 250

c2: $(C2_SETS:%=$(OUT)/c2/%.png)

OTHER_seeds := --first-run 100
OTHER_width100 := --width 100
OTHER_depth3 := --depth 3
OTHER_relu := --activation relu
OTHER_adam := --optimizer adam --lr 0.001 --epochs 200

define OTHER
$(OUT)/c2/$(1).$(2).safetensors: $(DATA)/$(1).safetensors
	mkdir -p $$(@D)
	$(STRAG) train $$< --runs $(RUNS) $(C2_TRAIN) $(OTHER_$(2)) -o $$@
$(OUT)/c2/$(1).$(2).json: $(OUT)/c2/$(1).$(2).safetensors
	$(FIND) $$< -o $$@ || test -s $$@
endef
$(foreach d,$(C2_SETS),$(foreach o,$(filter-out linear,$(OTHERS)),$(eval $(call OTHER,$(d),$(o)))))

$(OUT)/c2/%.linear.json: $(OUT)/linear/%.json
	mkdir -p $(@D)
	cp $< $@

.SECONDEXPANSION:
$(OUT)/c2/%.json: $(OUT)/c1/%.json $$(foreach o,$(OTHERS),$(OUT)/c2/%.$$(o).json)
	$(STRAG) compare $^ --label reference $(OTHERS:%=--label %) -o $@

$(OUT)/c2/%.png: $(OUT)/c2/%.json
	$(STRAG) plot $< --dpi 110 -o $@
