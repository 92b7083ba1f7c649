# What the report shows: `make results` copies pictures and numbers out of OUT into folders of RESULTS.
RESULTS := .
NUMBERS := $(OUT)/c1/effects.json $(OUT)/c2/effects.json $(C3:%=$(OUT)/c3/%.effects.json) $(OUT)/c3/size.json \
  $(C4:%=$(OUT)/c4/%.effects.json) $(INVERTING:%=$(OUT)/c4/%.linear.effects.json) \
  $(foreach x,inversion error single,$(INVERTING:%=$(OUT)/c2/%.$(x).json)) $(INVERTING:%=$(OUT)/c5/%.json) \
  $(INVERTING:%=$(OUT)/c6/%.effects.json) $(OUT)/classes/effects.json $(OUT)/classes/perclass.json \
  $(INVERTING:%=$(OUT)/linear/%.overlap.json) $(OUT)/linear/effects.json $(LINEAR_SIZES:%=$(OUT)/linear/%.overlap.json) \
  $(foreach n,biases nobias classifier,$(INVERTING:%=$(OUT)/linear/%.$(n).linearity.json)) \
  $(OUT)/expansion/effects.json $(OUT)/noise/noise.json $(OUT)/tstar.json $(CONV_RESULTS)
PICTURES := $(SETS:%=$(OUT)/c1/%.updates.png) $(OUT)/c1/mnist.error.png \
  $(INVERTING:%=$(OUT)/c2/%.inversion.png) $(OUT)/c3/mnist.effects.png \
  $(OUT)/c3/size.png $(OUT)/c4/mnist.sweep.png $(INVERTING:%=$(OUT)/c4/%.dynamics.png) $(INVERTING:%=$(OUT)/c5/%.png) \
  $(foreach s,$(SIGMAS),$(INVERTING:%=$(OUT)/c6/%.noise$(s).png)) \
  $(foreach d,$(INVERTING),$(OUT)/linear/$(d).biases.linearity.png $(OUT)/expansion/$(d).after.png) \
  $(OUT)/noise/noise.png $(OUT)/tstar.png $(OUT)/classes/mnist.png $(OUT)/classes/byclass.png \
  $(CONV_PICTURES)

# Names tell the claim: c3/size.json becomes c3-size.json.
results: $(NUMBERS) $(PICTURES)
	$(PYTHON) collect.py $(OUT) $(RESULTS) $(NUMBERS) $(PICTURES)
