package dev.duoka.data.training;

import dev.duoka.data.batch.DocumentSplit;
import dev.duoka.data.source.SourceSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * What the data of a run is to be made of.
 *
 * @param sources in the order of the run file, at least one of them to train on
 * @param named whether the run file speaks of single sources, so that each is worth a number of its
 *     own
 */
public record DataPlan(List<PlannedSource> sources, boolean named) {
  /** How the only source is called where the run file names none. */
  private static final String ALL = "data";

  /** Stands for a source of several files, whose documents have the files' names in their ids. */
  private static final String MANY = "*";

  public DataPlan {
    sources = List.copyOf(sources);
  }

  /** All files as one source, an epoch of which is an epoch of the run. */
  public static DataPlan of(
      List<SourceSpec> files, TrainingForm form, DocumentSplit split, int longestTurn) {
    SourceUse use = new SourceUse.Once();
    return new DataPlan(
        List.of(new PlannedSource(ALL, files, form, use, split, longestTurn)), false);
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
  public DataPlan formerly(String names) {
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
    return new DataPlan(renamed, named);
  }
}
