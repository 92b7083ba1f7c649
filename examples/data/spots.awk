# Made-up images of 8 x 8 noisy pixels, light or dark, as FOLDER/CLASS/NUMBER.pgm. They are the same with every awk.
function random() { seed = (seed * 16807) % 2147483647; return seed / 2147483647 }
BEGIN {
  seed = 1
  for (i = 1; i <= 400; i++) {
    kind = i % 2 ? "light" : "dark"
    file = sprintf("%s/%s/%03d.pgm", folder, kind, i)
    print "P2 8 8 255" > file
    for (pixel = 0; pixel < 64; pixel++) print int(60 + 100 * random() + (kind == "light") * 12) > file
    close(file)
  }
}
