package dev.duoka.train.config;

import dev.duoka.train.config.binding.Doc;

/** The section of a run file that says what pairs of answers are compared by. */
public record PreferenceSettings(
    @Doc(
            value =
                "How dearly leaving the reference is paid for: β of direct preference"
                    + " optimisation. Smaller lets the model go further.",
            byDefault = "0.1",
            range = "(0, 100]")
        double beta,
    @Doc(
            value =
                "How often pairs are thought to be the wrong way round: 0.1 for labels of which a"
                    + " tenth may be wrong.",
            byDefault = "0",
            range = "[0, 0.5)")
        double labelSmoothing,
    @Doc(
            value =
                "Weight of the chosen answer's own mean cross-entropy beside the comparison, which"
                    + " keeps its likelihood from falling; 0 for none.",
            byDefault = "0",
            range = "[0, 100]")
        double chosenWeight,
    @Doc(
            value =
                "The model that may not be left too far: `start`, what is trained as it is before"
                    + " the first step, or `base`, the frozen weights without the adapter. What it"
                    + " makes of each answer is computed once and kept in the run's folder.",
            byDefault = "start")
        Reference reference) {

  /** Which model is the reference. */
  public enum Reference {
    /** What is trained, before the first step. */
    START,
    /** The frozen weights alone. */
    BASE
  }
}
