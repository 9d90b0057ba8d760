package dev.duoka.train.config;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.formats.yaml.YamlParser;
import dev.duoka.formats.yaml.YamlTree;
import dev.duoka.train.config.binding.Binder;
import dev.duoka.train.config.binding.Problems;
import java.util.Optional;

/** The option {@code --mesh} of commands: section {@code parallel} of a run file in one line. */
public final class MeshOption {
  private static final String NAME = "--mesh";

  private MeshOption() {}

  /**
   * Reads fields of the section, with its names, defaults and limits.
   *
   * @param text for example {@code data=2,tensor=2,zero=1}
   * @throws DuokaException with {@link ErrorCode#CONFIG} and everything that is wrong
   */
  public static ParallelSettings parse(String text) {
    Problems problems = new Problems(NAME);
    Problems malformed = new Problems(NAME);
    Optional<YamlTree> tree =
        YamlParser.value(NAME, "{" + text.replace("=", ": ") + "}", malformed);
    if (!text.contains("=") || !(tree.orElse(null) instanceof YamlTree.Mapping section)) {
      throw new DuokaException(
          ErrorCode.USAGE,
          NAME + " is '" + text + "', which names no axes with numbers, apart by commas",
          "For example " + NAME + " data=2,tensor=2");
    }
    malformed.throwIfAny(); // a field that is given twice
    Binder.Bound<ParallelSettings> bound = Binder.bind(section, ParallelSettings.class, problems);
    problems.throwIfAny();
    ParallelSettings parallel = bound.value().orElseThrow();
    FieldProblem.throwIfAny(NAME, PipelineFields.problems(parallel));
    return parallel;
  }
}
