package dev.duoka.hardware;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What was measured on one machine, never of a model: products by shape, attention, streams of
 * bytes, exchanges, and what lies beside the cards.
 *
 * @param date when, as ISO 8601
 * @param cards the driver's names of the cards, in their order; empty of a CPU alone
 * @param versions of driver and libraries, by name
 * @param seconds that the measurement took
 * @param launchSeconds of the host to launch one operator
 * @param host what lies beside the cards; empty where it was left out
 */
public record MachineProfile(
    String date,
    List<String> cards,
    Map<String, String> versions,
    double seconds,
    double launchSeconds,
    List<ProductSample> products,
    List<AttentionSample> attention,
    List<StreamSample> streams,
    List<ExchangeSample> exchanges,
    Optional<HostSample> host) {
  public MachineProfile {
    cards = List.copyOf(cards);
    versions = Map.copyOf(new TreeMap<>(versions));
    products = List.copyOf(products);
    attention = List.copyOf(attention);
    streams = List.copyOf(streams);
    exchanges = List.copyOf(exchanges);
  }

  /** Products of a format, plain or in groups; empty where none were measured. */
  public Optional<ProductTable> products(NumberFormat format, boolean grouped) {
    return ProductTable.has(products, format, grouped)
        ? Optional.of(ProductTable.of(products, format, grouped))
        : Optional.empty();
  }

  /** Attention; empty where it was not measured. */
  public Optional<AttentionTable> attentionTable() {
    return attention.isEmpty() ? Optional.empty() : Optional.of(new AttentionTable(attention));
  }

  /** Exchanges that one transport carried. */
  public ExchangeTable exchanges(String transport) {
    return new ExchangeTable(exchanges, transport);
  }

  /** A part that is bound by memory, by its name; empty where it was not measured. */
  public Optional<StreamSample> stream(String name) {
    return streams.stream().filter(it -> it.name().equals(name)).findFirst();
  }

  /**
   * What has another version than it had then.
   *
   * @param now versions by name; those that are not in both are passed over
   * @return for people, for example {@code driver 580.65.06 then and 590.44.01 now}
   */
  public List<String> changedVersions(Map<String, String> now) {
    return new TreeMap<>(versions)
        .entrySet().stream()
            .filter(then -> now.containsKey(then.getKey()))
            .filter(then -> !then.getValue().equals(now.get(then.getKey())))
            .map(
                then ->
                    then.getKey()
                        + " "
                        + then.getValue()
                        + " then and "
                        + now.get(then.getKey())
                        + " now")
            .toList();
  }

  /** For example {@code 4 x NVIDIA H100 80GB HBM3, measured 2026-11-29}. */
  public String title() {
    Map<String, Integer> counts = new TreeMap<>();
    cards.forEach(card -> counts.merge(card, 1, Integer::sum));
    StringBuilder title = new StringBuilder();
    counts.forEach((card, count) -> title.append(count).append(" x ").append(card).append(", "));
    return title + "measured " + date.substring(0, Math.min(10, date.length()));
  }
}
