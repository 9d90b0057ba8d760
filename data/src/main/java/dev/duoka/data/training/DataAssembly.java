package dev.duoka.data.training;

import dev.duoka.data.batch.DocumentSequences;
import dev.duoka.data.batch.PairSequences;
import dev.duoka.data.batch.SequenceMixture;
import dev.duoka.data.batch.SequenceSet;
import dev.duoka.data.batch.SplitPart;
import dev.duoka.data.batch.SpreadSequences;
import dev.duoka.data.batch.StreamSequences;
import dev.duoka.data.overlap.Overlap;
import dev.duoka.data.overlap.OverlapReport;
import dev.duoka.data.shard.TokenCache;
import dev.duoka.data.shard.TokenShards;
import dev.duoka.data.shard.TokenisationListener;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Puts the data of a run together from its plan. */
final class DataAssembly {
  private final DataPlan plan;
  private final TokenisationListener listener;
  private final List<OpenedSource> sources;
  private final List<SourceGroup> groups;
  private final OverlapReport overlap;

  private DataAssembly(
      DataPlan plan,
      List<OpenedSource> sources,
      OverlapReport overlap,
      TokenisationListener listener) {
    this.overlap = overlap;
    this.plan = plan;
    this.listener = listener;
    this.sources = sources;
    this.groups =
        SourceGroup.of(sources.stream().filter(source -> source.plan().isTrained()).toList());
  }

  static TrainingData of(DataPlan plan, Path cache, TokenisationListener listener) {
    TokenCache tokens = new TokenCache(cache);
    List<OpenedSource> sources =
        plan.sources().stream().map(source -> OpenedSource.open(source, tokens, listener)).toList();
    Overlap overlap =
        Overlap.of(
            sources.stream().map(OpenedSource::compared).toList(),
            sources.getFirst().plan().form().tokenizer(),
            plan.duplicates(),
            plan.copiesApart(),
            plan.findsLeaks(),
            cache,
            listener);
    overlap.report().lines(plan.duplicates(), plan.copiesApart()).forEach(listener::notice);
    List<OpenedSource> placed = new ArrayList<>();
    for (int i = 0; i < sources.size(); i++) {
      placed.add(sources.get(i).with(overlap.sides(i)));
    }
    return new DataAssembly(plan, placed, overlap.report(), listener).assemble();
  }

  private TrainingData assemble() {
    boolean oneRow = groups.size() == 1 && sources.size() == groups.getFirst().sources().size();
    SequenceSet validation = oneRow ? groups.getFirst().validation(listener) : null;
    List<NamedSequences> bySource = List.of();
    if (plan.named()) {
      bySource =
          validation instanceof PairSequences pairs ? groups.getFirst().divided(pairs) : bySource();
    }
    if (!oneRow) {
      validation = spread(bySource);
    }
    List<SequenceSet> training = new ArrayList<>();
    for (SourceGroup group : groups) {
      training.add(group.training(groups.size() > 1, listener));
    }
    SequenceMixture mixture = mixture(training);
    return new TrainingData(
        identity(mixture),
        sources.getFirst().plan().form().tokenizer(),
        mixture,
        validation,
        bySource,
        epochTokens(training),
        paddingTokens(training),
        DataReport.of(sources, groups, mixture, bySource, overlap, plan.named()));
  }

  private SequenceMixture mixture(List<SequenceSet> training) {
    if (training.size() == 1) {
      return SequenceMixture.of(training.getFirst());
    }
    return SequenceMixture.of(
        training,
        groups.stream().map(group -> group.weight(training.get(groups.indexOf(group)))).toList());
  }

  private static @Nullable SequenceSet spread(List<NamedSequences> bySource) {
    return bySource.isEmpty()
        ? null
        : SpreadSequences.of(bySource.stream().map(NamedSequences::sequences).toList());
  }

  private List<NamedSequences> bySource() {
    List<NamedSequences> held = new ArrayList<>();
    boolean told = groups.size() > 1 || sources.size() > groups.getFirst().sources().size();
    for (OpenedSource source : sources) {
      if (source.holdsOut()) {
        TokenisationListener own =
            told ? new NamedListener(source.plan().name(), listener) : TokenisationListener.SILENT;
        SequenceSet set =
            SourceGroup.heldOut(source.part(SplitPart.VALIDATION), source.plan().form(), own);
        if (set != null) {
          held.add(new NamedSequences(source.plan().name(), set));
        }
      }
    }
    return held;
  }

  private Map<String, String> identity(SequenceMixture mixture) {
    Map<String, String> identity = new LinkedHashMap<>();
    identity.put("data.tokenizer", sources.getFirst().plan().form().tokenizer().fingerprint());
    identity.put(
        "data.sources",
        groups.size() == 1 ? content(true) : content(true) + " in " + mixture.shares());
    if (!plan.copiesApart()) {
      identity.put(
          TrainingData.DUPLICATES,
          switch (plan.duplicates()) {
            case KEEP, REFUSE -> "together";
            case DROP -> "dropped";
          });
    }
    identity.put(TrainingData.FILE_NAMES, plan.fileNames());
    if (sources.stream().anyMatch(source -> !source.plan().isTrained())) {
      identity.put(TrainingData.VALIDATION_SOURCES, content(false));
    }
    return identity;
  }

  private String content(boolean trained) {
    return TokenShards.joined(
            sources.stream()
                .filter(source -> source.plan().isTrained() == trained)
                .map(OpenedSource::shards)
                .toList())
        .contentName();
  }

  private long epochTokens(List<SequenceSet> training) {
    if (groups.size() == 1 && training.getFirst() instanceof StreamSequences) {
      return groups.getFirst().trained().tokens();
    }
    double tokens = 0;
    for (int i = 0; i < training.size(); i++) {
      SequenceSet set = training.get(i);
      tokens += groups.get(i).timesPerEpoch() * Math.multiplyExact(set.count(), set.length());
    }
    return Math.round(tokens);
  }

  /** Padding takes its part in {@code tokens_per_step}, and so does it in an epoch. */
  private long paddingTokens(List<SequenceSet> training) {
    double padding = 0;
    for (int i = 0; i < training.size(); i++) {
      padding +=
          switch (training.get(i)) {
            case StreamSequences _, SpreadSequences _ -> 0;
            case DocumentSequences chats -> groups.get(i).timesPerEpoch() * chats.paddingTokens();
            case PairSequences pairs -> groups.get(i).timesPerEpoch() * pairs.paddingTokens();
          };
    }
    return Math.round(padding);
  }
}
