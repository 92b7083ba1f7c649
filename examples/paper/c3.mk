# C3: the training error at the inversion, under initialisations, learning rates, optimisers, architectures,
# blocks and sizes of the data. One condition a line: its name, then what it changes.
BASE := --lr 0.2 --epochs 150
SEEDS := 50
WIDTHS := 10 50 100 200
DEPTHS := 3 4 5
BLOCKS := 1 2 3 4 5
# Images in MNIST, which the blocks divide.
IMAGES := 60000
SIZES := 512 1024 2048 4096 8192 16384 32768 60000

OPTIONS_seeds := --runs $(SEEDS) $(BASE)
OPTIONS_lr0.02 := --runs $(RUNS) --lr 0.02 --epochs 1500
OPTIONS_lr0.05 := --runs $(RUNS) --lr 0.05 --epochs 600
OPTIONS_lr0.1 := --runs $(RUNS) --lr 0.1 --epochs 300
OPTIONS_lr0.4 := --runs $(RUNS) --lr 0.4 --epochs 75
OPTIONS_momentum := --runs $(RUNS) --momentum 0.9 --lr 0.02 --epochs 150
OPTIONS_adam := --runs $(RUNS) --optimizer adam --lr 0.001 --epochs 100
OPTIONS_batch := --runs $(RUNS) --batch-size 256 --lr 0.05 --epochs 12 --record-every 4
OPTIONS_relu := --runs $(RUNS) --activation relu $(BASE)
$(foreach n,$(WIDTHS),$(eval OPTIONS_width$(n) := --runs $(RUNS) --width $(n) $(BASE)))
$(foreach n,$(DEPTHS),$(eval OPTIONS_depth$(n) := --runs $(RUNS) --depth $(n) --layers all --lr 0.1 --epochs 600))

WHOLE := seeds lr0.02 lr0.05 lr0.1 lr0.4 momentum adam batch relu $(WIDTHS:%=width%)
DEEP := $(DEPTHS:%=depth%)
CONDITIONS := $(WHOLE:%=$(OUT)/c3/%.json) \
  $(foreach n,$(DEPTHS),$(foreach l,$(shell seq $$(($(n) - 1))),$(OUT)/c3/depth$(n).layer$(l).json))
PARTS := $(foreach p,$(SIZES),$(foreach b,$(BLOCKS),$(shell test $$(($(p) * $(b))) -le $(IMAGES) && echo $(p).$(b))))

c3: $(OUT)/c3/effects.json $(OUT)/c3/effects.png $(OUT)/c3/size.json $(OUT)/c3/size.png

$(WHOLE:%=$(OUT)/c3/%.safetensors) $(DEEP:%=$(OUT)/c3/%.safetensors): $(OUT)/c3/%.safetensors: $(DATA)/mnist.safetensors
	mkdir -p $(@D)
	$(TRAIN) $< $(OPTIONS_$*) -o $@

define LAYER
$(OUT)/c3/%.layer$(1).json: $(OUT)/c3/%.safetensors
	$(FIND) $$< --layer $(1) -o $$@
endef
$(foreach l,1 2 3 4 5,$(eval $(call LAYER,$(l))))

# Disjoint blocks of every size: block b of P images is images (b - 1) P to b P.
define PART
$(OUT)/c3/size/$(1).safetensors:
	mkdir -p $$(@D)
	$(STRAG) data $(MNIST) --labels $(LABELS) --size $(basename $(1)) --block $(subst .,,$(suffix $(1))) | $(TRAIN) - --runs $(RUNS) $(BASE) -o $$@
endef
$(foreach part,$(PARTS),$(eval $(call PART,$(part))))

$(OUT)/c3/effects.json: $(CONDITIONS) $(filter $(OUT)/c3/size/$(SIZE).%,$(PARTS:%=$(OUT)/c3/size/%.json))
	$(STRAG) summary $^ -o $@
	$(STRAG) summary $^ --markdown -o $(@:json=md)

$(OUT)/c3/size.json: $(PARTS:%=$(OUT)/c3/size/%.json)
	$(STRAG) summary $^ -o $@
	$(STRAG) summary $^ --markdown -o $(@:json=md)

$(OUT)/c3/%.png: $(OUT)/c3/%.json
	$(DRAW) $< -o $@
