# What the report shows: `make results` copies pictures, tables and numbers out of OUT into folders of RESULTS.
RESULTS := .
TABLES := $(OUT)/c1/effects.json $(OUT)/c3/effects.json $(OUT)/c3/size.json $(OUT)/c4/effects.json $(OUT)/classes/effects.json
NUMBERS := $(C2_SETS:%=$(OUT)/c2/%.json) $(LINEAR_SETS:%=$(OUT)/linear/%.overlap.json) \
  $(OUT)/c4/removed.json $(OUT)/c5/agreement.json $(SWEEP_SETS:%=$(OUT)/c6/%.effects.json)
PICTURES := $(SETS:%=$(OUT)/c1/%.png) $(C2_SETS:%=$(OUT)/c2/%.png) $(OUT)/c3/effects.png $(OUT)/c3/size.png \
  $(OUT)/c4/sweep.png $(OUT)/c4/dynamics.png $(OUT)/c5/agreement.png $(SWEEP_SETS:%=$(OUT)/c6/%.png) \
  $(SWEEP_SETS:%=$(OUT)/c6/%.noisy.png) $(OUT)/classes/mnist.png

$(OUT)/c1/effects.json: $(SETS:%=$(OUT)/c1/%.json)
	$(STRAG) summary $^ $(SETS:%=--label %) -o $@

$(OUT)/c4/removed.json: $(foreach n,all pruned random linear,$(OUT)/c4/$(n).json)
	$(STRAG) summary $^ --label all --label stragglers --label random --label linear -o $@

$(OUT)/classes/effects.json: $(OUT)/classes/together.json $(OUT)/classes/perclass.json
	$(STRAG) summary $^ --label 'all classes together' --label 'one inversion per class' -o $@

# Names tell the claim: c3/size.json becomes c3-size.json.
results: $(TABLES) $(NUMBERS) $(PICTURES)
	mkdir -p $(RESULTS)/results $(RESULTS)/pictures
	for file in $(TABLES) $(NUMBERS); do cp $$file $(RESULTS)/results/$$(basename $$(dirname $$file))-$$(basename $$file); done
	for file in $(PICTURES); do cp $$file $(RESULTS)/pictures/$$(basename $$(dirname $$file))-$$(basename $$file); done
