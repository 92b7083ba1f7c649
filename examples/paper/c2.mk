# C2, Fig. 3: do other networks and optimisers have the same stragglers? A map of overlaps per data set: of the
# stragglers of most runs, of these at the training error of the reference, and of single runs.
OTHERS := seeds width100 depth3 relu adam
CALLED_seeds := other seeds
CALLED_width100 := width 100
CALLED_depth3 := depth 3
CALLED_adam := Adam
called = $(or $(CALLED_$(1)),$(1))

c2: $(foreach x,inversion error single,$(INVERTING:%=$(OUT)/c2/%.$(x).png)) $(OUT)/c2/effects.json

# The reference is that of C3, as are all but the other seeds.
$(INVERTING:%=$(OUT)/c2/%.seeds.safetensors): $(OUT)/c2/%.seeds.safetensors: $(DATA)/%.safetensors
	mkdir -p $(@D)
	$(TRAIN) $< --first-run 100 --runs $(call runs_of,$*) --lr $(call lr_of,$*) $(UNTIL) $(FAST) -o $@

history_of = $(OUT)/$(if $(filter seeds,$(2)),c2,c3)/$(1).$(2).safetensors
LABELLED := --label reference $(foreach o,$(OTHERS),--label '$(call called,$(o))')

define OTHER
$(OUT)/c2/$(1).$(2).inversion.json: $(call history_of,$(1),$(2))
	$(FIND) $$< -o $$@
$(OUT)/c2/$(1).$(2).error.json: $(call history_of,$(1),$(2)) $(OUT)/c3/$(1).seeds.json
	$(FIND) $$< --at $$(call INVERTS_AT,$(OUT)/c3/$(1).seeds.json) -o $$@
$(OUT)/c2/$(1).$(2).single.safetensors: $(call history_of,$(1),$(2))
	$(STRAG) sets --any-verdict $$< -o $$@
endef
$(foreach d,$(INVERTING),$(foreach o,$(OTHERS),$(eval $(call OTHER,$(d),$(o)))))

$(OUT)/c2/%.reference.single.safetensors: $(OUT)/c3/%.seeds.safetensors
	mkdir -p $(@D)
	$(STRAG) sets --any-verdict $< -o $@

.SECONDEXPANSION:
$(INVERTING:%=$(OUT)/c2/%.inversion.json): $(OUT)/c2/%.inversion.json: $(OUT)/c3/%.seeds.json $$(foreach o,$(OTHERS),$(OUT)/c2/%.$$(o).inversion.json)
	$(STRAG) compare $^ $(LABELLED) -o $@
$(INVERTING:%=$(OUT)/c2/%.error.json): $(OUT)/c2/%.error.json: $(OUT)/c3/%.seeds.json $$(foreach o,$(OTHERS),$(OUT)/c2/%.$$(o).error.json)
	$(STRAG) compare $^ $(LABELLED) -o $@
$(INVERTING:%=$(OUT)/c2/%.single.json): $(OUT)/c2/%.single.json: $(OUT)/c2/%.reference.single.safetensors $$(foreach o,$(OTHERS),$(OUT)/c2/%.$$(o).single.safetensors)
	$(STRAG) compare $^ $(LABELLED) -o $@

$(OUT)/c2/%.png: $(OUT)/c2/%.json
	$(DRAW) $< -o $@

$(OUT)/c2/effects.json: $(foreach d,$(INVERTING),$(OTHERS:%=$(OUT)/c2/$(d).%.inversion.json))
	$(STRAG) summary $^ $(foreach d,$(INVERTING),$(foreach o,$(OTHERS),--label '$(d) $(call called,$(o))')) -o $@
