package dev.duoka.diagnosis.verdict;

import dev.duoka.diagnosis.rule.RuleBook;
import dev.duoka.diagnosis.scan.Sighting;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Tells from the versions that NCCL prints on each host whether hosts of one run differ. Asked only
 * where NCCL fails: a log may hold several runs.
 */
final class Versions {
  private final RuleBook book;

  Versions(RuleBook book) {
    this.book = book;
  }

  /** The first line whose version differs from that of another host. */
  Optional<Sighting> of(List<Sighting> lines) {
    boolean failed =
        lines.stream()
            .map(Sighting::rule)
            .anyMatch(rule -> rule.role().canStandAlone() && rule.id().startsWith("nccl_"));
    List<Sighting> versions =
        lines.stream()
            .filter(s -> s.rule().id().equals("nccl_version") && s.line().host().isPresent())
            .toList();
    if (!failed || versions.isEmpty()) {
      return Optional.empty();
    }
    Sighting first = versions.getFirst();
    return versions.stream()
        .filter(
            s ->
                !s.line().host().equals(first.line().host())
                    && !s.captures().equals(first.captures()))
        .findFirst()
        .map(
            s -> {
              Map<String, String> captures = new HashMap<>(s.captures());
              captures.put("other", first.captures().getOrDefault("version", "?"));
              captures.put("otherhost", first.line().host().orElse("?"));
              return new Sighting(
                  book.rule("nccl_versions_differ"), 0, s.log(), s.number(), s.line(), captures);
            });
  }
}
