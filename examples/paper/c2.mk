# C2, Fig. 3: do other networks and optimisers have the same stragglers? A map of overlaps per data set.
OTHERS := seeds width100 depth3 relu adam linear
C2_TRAIN := --lr 0.1 --epochs 500
C2_TRAIN_vehicles := --lr 0.02 --epochs 1000
c2_train = $(or $(C2_TRAIN_$(1)),$(C2_TRAIN))

c2: $(INVERTING:%=$(OUT)/c2/%.png) $(OUT)/c2/effects.json

OTHER_seeds := --first-run 100
OTHER_width100 := --width 100
OTHER_depth3 := --depth 3
OTHER_relu := --activation relu
OTHER_adam := --optimizer adam --lr 0.001 --epochs 200
TRAINED := $(filter-out linear,$(OTHERS))

define OTHER
$(OUT)/c2/$(1).$(2).safetensors: $(DATA)/$(1).safetensors
	mkdir -p $$(@D)
	$(TRAIN) $$< --runs $(RUNS) $(call c2_train,$(1)) $(OTHER_$(2)) -o $$@
endef
$(foreach d,$(INVERTING),$(foreach o,$(TRAINED),$(eval $(call OTHER,$(d),$(o)))))

$(OUT)/c2/%.linear.json: $(OUT)/linear/%.json
	mkdir -p $(@D)
	cp $< $@

.SECONDEXPANSION:
$(INVERTING:%=$(OUT)/c2/%.json): $(OUT)/c2/%.json: $(OUT)/c1/%.json $$(foreach o,$(OTHERS),$(OUT)/c2/%.$$(o).json)
	$(STRAG) compare $^ --label reference $(OTHERS:%=--label %) -o $@

$(INVERTING:%=$(OUT)/c2/%.png): %.png: %.json
	$(DRAW) $< -o $@

$(OUT)/c2/effects.json: $(foreach d,$(INVERTING),$(foreach o,$(TRAINED),$(OUT)/c2/$(d).$(o).json))
	$(STRAG) summary $^ $(foreach d,$(INVERTING),$(foreach o,$(TRAINED),--label '$(d), $(o)')) -o $@
	$(STRAG) summary $^ $(foreach d,$(INVERTING),$(foreach o,$(TRAINED),--label '$(d), $(o)')) --markdown -o $(@:json=md)
