# C1, panels 1c and 1d: the manifolds separate, then entangle again.
c1: $(SETS:%=$(OUT)/c1/%.png) $(SETS:%=$(OUT)/c1/%.json)

$(OUT)/c1/%.safetensors: $(DATA)/%.safetensors
	mkdir -p $(@D)
	$(STRAG) train $< --runs $(RUNS) $(TRAIN_$*) -o $@

$(OUT)/c1/%.json: $(OUT)/c1/%.safetensors
	$(FIND) $< -o $@ || test -s $@

$(OUT)/c1/%.png: $(OUT)/c1/%.safetensors
	$(STRAG) plot $< --dpi 110 --x error -o $@
