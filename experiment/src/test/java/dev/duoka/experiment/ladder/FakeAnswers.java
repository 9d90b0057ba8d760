package dev.duoka.experiment.ladder;

import dev.duoka.experiment.arm.FakeTraining;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A program whose commands print what a file of their name holds, and its own words before it. */
final class FakeAnswers {
  private FakeAnswers() {}

  /** The words that start it. */
  static List<String> program(Path folder) {
    List<String> program = new ArrayList<>(FakeTraining.command());
    program.set(program.size() - 1, FakeAnswers.class.getName());
    program.add(folder.toString());
    return program;
  }

  /** Prints the answer; status 1, as of what is not well. */
  public static void main(String[] words) throws Exception {
    System.out.println(String.join(" ", words));
    System.out.print(Files.readString(Path.of(words[0]).resolve(words[1])));
    System.exit(1);
  }
}
