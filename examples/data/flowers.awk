# A made-up table of flowers: two species whose sizes overlap. The random numbers are the same with every awk.
function random() { seed = (seed * 16807) % 2147483647; return seed / 2147483647 }
BEGIN {
  seed = 1
  print "name,height,width,species"
  for (i = 1; i <= 600; i++) {
    iris = i % 2
    height = random() + random() + random() + iris
    width = random() + random() - iris
    printf "flower%03d,%.3f,%.3f,%s\n", i, height, width, iris ? "iris" : "rose"
  }
}
