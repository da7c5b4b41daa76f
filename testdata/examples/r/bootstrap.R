# Bootstraps a regression: Rscript bootstrap.R SEED TARGET OUT
args <- commandArgs(trailingOnly = TRUE)
set.seed(as.integer(args[1]))  # the same result, however often it runs
rounds <- as.numeric(Sys.getenv("ROUNDS", "20"))

slope <- function(cars) coef(lm(reformulate("wt", args[2]), cars))[["wt"]]

sampled <- function() {
  message("sampling")
  sum <- 0
  for (i in seq_len(rounds)) {
    sum <- sum + slope(mtcars[sample(nrow(mtcars), replace = TRUE), ])
  }
  sum / rounds
}

# At SIGTERM R ends at once, without on.exit and finalizers. SIGINT is a condition, and
# so the Dockerfile says --signal TERM=INT.
mean <- tryCatch(sampled(), interrupt = function(e) {
  message("stopped, and nothing is written")
  quit(status = 143)
})
writeLines(format(mean), args[3])
