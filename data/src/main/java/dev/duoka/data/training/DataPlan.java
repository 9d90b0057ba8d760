package dev.duoka.data.training;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.data.batch.DocumentSplit;
import dev.duoka.data.overlap.Duplicates;
import dev.duoka.data.source.SourceSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What the data of a run is to be made of.
 *
 * @param sources in the order of the run file, at least one of them to train on
 * @param duplicates what becomes of documents that are the same as earlier ones
 * @param copiesApart whether each document is held out by its id alone, so that copies may be on
 *     both sides of the split: what older versions did, and a run that began so goes on so
 * @param findsLeaks whether what is trained on is searched for what is held out
 * @param named whether the run file speaks of single sources, so that each is worth a number of its
 *     own
 */
public record DataPlan(
    List<PlannedSource> sources,
    Duplicates duplicates,
    boolean copiesApart,
    boolean findsLeaks,
    boolean named) {
  /** How the only source is called where the run file names none. */
  private static final String ALL = "data";

  /** Stands for a source of several files, whose documents have the files' names in their ids. */
  private static final String MANY = "*";

  public DataPlan {
    sources = List.copyOf(sources);
  }

  /** All files as one source, an epoch of which is an epoch of the run. */
  public static DataPlan of(
      List<SourceSpec> files,
      TrainingForm form,
      DocumentSplit split,
      int longestTurn,
      Duplicates duplicates) {
    SourceUse use = new SourceUse.Once();
    return new DataPlan(
        List.of(new PlannedSource(ALL, files, form, use, split, longestTurn)),
        duplicates,
        false,
        true,
        false);
  }

  /** The same, perhaps without the search for leaks. */
  public DataPlan findingLeaks(boolean wanted) {
    return new DataPlan(sources, duplicates, copiesApart, wanted, named);
  }

  /**
   * The plan of a run that goes on.
   *
   * @param identity what {@link TrainingData#identity} of the run held when it was saved
   * @throws DuokaException if the plan would leave out what the run was begun with
   */
  public DataPlan continuing(Map<String, String> identity) {
    String names = identity.get(TrainingData.FILE_NAMES);
    DataPlan renamed = names == null ? this : formerly(names);
    boolean older = !identity.containsKey(TrainingData.DUPLICATES);
    if (older && duplicates == Duplicates.DROP) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          "data.duplicates is drop, but the run that goes on was begun with all of its documents",
          "Set it to keep, or start a new run.");
    }
    return new DataPlan(renamed.sources, duplicates, older, findsLeaks, named);
  }

  /** By which names the documents of single files are known: a file may be renamed later. */
  String fileNames() {
    return sources.stream()
        .flatMap(source -> source.files().stream())
        .map(file -> file.fileName().orElse(MANY))
        .collect(Collectors.joining("|"));
  }

  /**
   * The plan of a run that goes on, whose files may have got other names since.
   *
   * @param names what {@link TrainingData#identity} of the run held under {@link
   *     TrainingData#FILE_NAMES}
   */
  private DataPlan formerly(String names) {
    String[] former = names.split("\\|", -1);
    if (former.length != sources.stream().mapToInt(source -> source.files().size()).sum()) {
      return this;
    }
    List<PlannedSource> renamed = new ArrayList<>();
    int next = 0;
    for (PlannedSource source : sources) {
      List<SourceSpec> files = new ArrayList<>();
      for (SourceSpec file : source.files()) {
        String name = former[next++];
        files.add(file.fileName().isPresent() && !name.equals(MANY) ? file.formerly(name) : file);
      }
      renamed.add(
          new PlannedSource(
              source.name(),
              files,
              source.form(),
              source.use(),
              source.split(),
              source.longestTurn()));
    }
    return new DataPlan(renamed, duplicates, copiesApart, findsLeaks, named);
  }
}
