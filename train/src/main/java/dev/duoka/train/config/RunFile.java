package dev.duoka.train.config;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import dev.duoka.base.OrdinaryFile;
import dev.duoka.formats.yaml.YamlParser;
import dev.duoka.formats.yaml.YamlTree;
import dev.duoka.train.config.binding.Binder;
import dev.duoka.train.config.binding.FieldChange;
import dev.duoka.train.config.binding.Overrides;
import dev.duoka.train.config.binding.Problems;
import dev.duoka.train.config.binding.YamlWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.IntSupplier;

/** Reads, checks, writes and compares run files. */
public final class RunFile {
  private static final long LARGEST_BYTES = 1 << 20;

  private RunFile() {}

  /**
   * Reads a run file.
   *
   * @param overrides {@code dotted.path=value} pairs laid over the file, the value in YAML
   * @throws DuokaException with {@link ErrorCode#CONFIG} and every problem of the file, each with
   *     its line; with {@link ErrorCode#IO} if the file cannot be read
   */
  public static RunConfig read(Path file, List<String> overrides) {
    return read(file, overrides, _ -> List.of());
  }

  /**
   * Reads a run file and checks what it names.
   *
   * @param overrides as in the other method
   * @param checks finds what is wrong beyond the text; each problem is reported with its line
   */
  public static RunConfig read(
      Path file, List<String> overrides, Function<RunConfig, List<FieldProblem>> checks) {
    return read(file, overrides, checks, AutoDataRanks.HERE);
  }

  /**
   * Reads a run file for a machine that need not be this one.
   *
   * @param overrides as in the other methods
   * @param checks likewise
   * @param gpus how many the machine has; asked only where {@code parallel.data} is {@code auto}
   */
  public static RunConfig read(
      Path file,
      List<String> overrides,
      Function<RunConfig, List<FieldProblem>> checks,
      IntSupplier gpus) {
    try {
      OrdinaryFile.require(file, ErrorCode.CONFIG);
      long size = Files.size(file);
      if (size > LARGEST_BYTES) {
        throw new DuokaException(
            ErrorCode.CONFIG, file + " has " + size + " bytes, which is no run file", "");
      }
      byte[] bytes = Files.readAllBytes(file);
      return parse(file.toString(), decode(file, bytes), overrides, checks, gpus);
    } catch (NoSuchFileException e) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          "there is no run file " + file,
          "Copy an example such as examples/quickstart.yaml and edit it.",
          e);
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.IO,
          "cannot read the run file " + file + ": " + IoReason.of(e),
          "Check that it is a readable file.",
          e);
    }
  }

  /**
   * Reads the text of a run file.
   *
   * @param name the file's name for messages
   */
  public static RunConfig parse(String name, String text, List<String> overrides) {
    return parse(name, text, overrides, _ -> List.of(), AutoDataRanks.HERE);
  }

  /** Reads the text of a run file, with checks as when a file is read. */
  static RunConfig parse(
      String name,
      String text,
      List<String> overrides,
      Function<RunConfig, List<FieldProblem>> checks,
      IntSupplier gpus) {
    Problems problems = new Problems(name);
    YamlTree.Mapping file = sections(name, text, problems);
    YamlTree.Mapping tree =
        AutoDataRanks.resolved(
            Overrides.apply(file, overrides, problems), System.getenv(), gpus, problems);
    if (file.entries().isEmpty()) {
      problems.throwIfAny(); // a malformed file; what it lacks is not worth listing
    }
    Binder.Bound<RunConfig> bound = Binder.bind(tree, RunConfig.class, problems);
    Contradictions.find(bound, problems);
    problems.throwIfAny();
    List<String> derived = DerivedFields.of(bound.value().orElseThrow());
    YamlTree.Mapping resolved = Overrides.apply(tree, derived, problems);
    Binder.Bound<RunConfig> result = Binder.bind(resolved, RunConfig.class, problems);
    problems.throwIfAny();
    RunConfig config = result.value().orElseThrow();
    for (FieldProblem problem : checks.apply(config)) {
      problems.add(bound.origin(problem.field()), problem.problem(), problem.remedy());
    }
    problems.throwIfAny();
    return config;
  }

  /** The root section, empty for an empty file or one that is malformed. */
  private static YamlTree.Mapping sections(String name, String text, Problems problems) {
    YamlTree.Mapping nothing = new YamlTree.Mapping(Map.of(), name);
    return switch (YamlParser.document(name, text, problems).orElse(nothing)) {
      case YamlTree.Mapping(Map<String, YamlTree.Entry> entries, _) ->
          new YamlTree.Mapping(entries, name);
      case YamlTree.Scalar scalar when scalar.isNull() -> nothing;
      case YamlTree other -> {
        problems.add(
            other.origin(),
            "a run file is made of 'name: value' lines, this is " + other.description(),
            "");
        yield nothing;
      }
    };
  }

  /** The configuration as a run file that reads back to an equal one. */
  public static String write(RunConfig config) {
    return YamlWriter.write(config);
  }

  /** The fields whose values differ, in alphabetical order. */
  public static List<FieldChange> changes(RunConfig before, RunConfig after) {
    return YamlWriter.changes(before, after);
  }

  private static String decode(Path file, byte[] bytes) {
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(buffer).toString();
    } catch (CharacterCodingException e) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          file + " is not UTF-8 text: byte " + buffer.position() + " is malformed",
          "Save it as UTF-8.",
          e);
    }
  }
}
