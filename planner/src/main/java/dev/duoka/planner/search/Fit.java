package dev.duoka.planner.search;

/** Whether a layout fits into its machine. */
enum Fit {
  FITS,
  /** It does not, but one that keeps less for its backward pass may. */
  TOO_LARGE,
  /** Its states alone do not, so what is computed again or at once cannot matter. */
  STATES_TOO_LARGE
}
