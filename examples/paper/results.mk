# What the report shows: `make results` copies pictures, tables and numbers out of OUT into folders of RESULTS.
RESULTS := .
TABLES := $(foreach n,c1/effects c2/effects c3/effects c3/size c4/effects c4/removed c4/later classes/effects,$(OUT)/$(n).json)
NUMBERS := $(INVERTING:%=$(OUT)/c2/%.json) $(INVERTING:%=$(OUT)/linear/%.overlap.json) \
  $(LINEAR_SIZES:%=$(OUT)/linear/%.overlap.json) $(INVERTING:%=$(OUT)/c6/%.effects.json) $(OUT)/c5/agreement.json \
  $(OUT)/classes/perclass.json
PICTURES := $(foreach x,error updates,$(SETS:%=$(OUT)/c1/%.$(x).png)) $(INVERTING:%=$(OUT)/c2/%.png) $(OUT)/c3/effects.png \
  $(OUT)/c3/size.png $(OUT)/c4/sweep.png $(OUT)/c4/dynamics.png $(OUT)/c5/agreement.png \
  $(foreach s,$(SIGMAS),$(INVERTING:%=$(OUT)/c6/%.noise$(s).png)) $(OUT)/classes/mnist.png $(OUT)/classes/byclass.png

# Names tell the claim: c3/size.json becomes c3-size.json.
as_result = $(subst /,-,$(1:$(OUT)/%=%))

results: $(TABLES) $(NUMBERS) $(PICTURES)
	mkdir -p $(RESULTS)/results $(RESULTS)/pictures
	$(foreach file,$(TABLES) $(NUMBERS),cp $(file) $(RESULTS)/results/$(call as_result,$(file));)
	$(foreach file,$(TABLES:json=md),cp $(file) $(RESULTS)/results/$(call as_result,$(file));)
	$(foreach file,$(PICTURES),cp $(file) $(RESULTS)/pictures/$(call as_result,$(file));)
