package dev.duoka.experiment.arm;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * What starts an arm.
 *
 * @param program the words that start this program, up to its commands
 * @param runFile that is trained
 */
public record ArmCommand(List<String> program, Path runFile) {
  /** What the arms do not do beside training. */
  private static final List<String> NOTHING_ELSE =
      List.of(
          "validation={}", // what would be asked then is refused where nothing is
          "validation.every_steps=0",
          "checkpoint.every_steps=0",
          "checkpoint.keep_every=0",
          "logging.every_steps=1000000",
          "remedies.out_of_memory=false",
          "launch.ranks_per_process=auto");

  public ArmCommand {
    program = List.copyOf(program);
  }

  /**
   * The words of its command; it goes on from the checkpoint in its folder where there is one.
   *
   * @param until how many steps it has taken in all when it ends
   * @param saves whether it saves its state then
   */
  public List<String> words(Arm arm, long until, boolean saves) {
    List<String> words = new ArrayList<>(program);
    words.addAll(List.of("train", runFile.toString(), "--no-supervise", "--no-watch"));
    words.addAll(List.of("--run-dir", arm.run().toString(), "--max-steps", "" + until));
    List<String> overrides = new ArrayList<>(arm.overrides());
    overrides.addAll(NOTHING_ELSE);
    overrides.add("checkpoint.final=" + saves);
    overrides.forEach(override -> words.addAll(List.of("--set", override)));
    if (Files.isDirectory(arm.run().resolve("checkpoints"))) {
      words.add("--resume");
    }
    return words;
  }

  /** Whether the arms set a field themselves, so that no change of it can be tried. */
  public static boolean sets(String field) {
    return field.equals("run_dir")
        || field.equals("checkpoint.final")
        || field.startsWith("validation.")
        || NOTHING_ELSE.stream().anyMatch(override -> override.startsWith(field + "="));
  }

  /** How an arm hears of its turns. */
  static Map<String, String> environment(Path turns, int arm) {
    return Map.of("DUOKA_TURNS", turns + ":" + arm);
  }
}
