package dev.duoka.data.source;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A folder as datasets are published on Hugging Face: files of records, some for each split, and
 * pages that describe them.
 */
final class DatasetFolder {
  private static final Pattern RECORDS =
      Pattern.compile(".*\\.(jsonl|ndjson|json|parquet)(\\.gz|\\.zst)?");

  /** The word for a split in a name, alone or before a number: train-00000-of-00002.parquet. */
  private static final Pattern SPLIT =
      Pattern.compile("(?:^|[/_.-])(train|training|validation|valid|val|dev|test|eval)(?=[/_.-])");

  private static final Set<String> PAGES =
      Set.of(
          "readme.md",
          "license",
          "license.txt",
          "license.md",
          "dataset_infos.json",
          "dataset_info.json",
          "dataset_dict.json",
          "state.json");

  private DatasetFolder() {}

  /** What is left out of a folder: pages beside records, and all splits but that for training. */
  static List<SourceFile> leftOut(List<SourceFile> files) {
    List<SourceFile> records = files.stream().filter(DatasetFolder::isRecords).toList();
    List<SourceFile> out = new ArrayList<>();
    if (!records.isEmpty()) {
      files.stream().filter(DatasetFolder::isPage).forEach(out::add);
    }
    if (records.stream().anyMatch(file -> split(file).startsWith("train"))) {
      records.stream()
          .filter(file -> !split(file).isEmpty() && !split(file).startsWith("train"))
          .forEach(out::add);
    }
    return out;
  }

  private static boolean isRecords(SourceFile file) {
    return RECORDS.matcher(file.id().toLowerCase(Locale.ROOT)).matches() && !isPage(file);
  }

  private static boolean isPage(SourceFile file) {
    String id = file.id().toLowerCase(Locale.ROOT);
    return PAGES.contains(id.substring(id.lastIndexOf('/') + 1));
  }

  /** The last split that the name says; empty for none. */
  private static String split(SourceFile file) {
    Matcher matcher = SPLIT.matcher(file.id().toLowerCase(Locale.ROOT));
    String split = "";
    while (matcher.find()) {
      split = matcher.group(1);
    }
    return split;
  }
}
