import org.jspecify.annotations.NullMarked;

/** File formats: JSON, YAML tables, safetensors and a model's config. No tensors. */
@NullMarked
module dev.duoka.formats {
  requires static transitive org.jspecify;
  requires transitive dev.duoka.base;
  requires transitive tools.jackson.databind;
  requires org.snakeyaml.engine;

  exports dev.duoka.formats.adapter;
  exports dev.duoka.formats.heartbeat;
  exports dev.duoka.formats.json;
  exports dev.duoka.formats.ledger;
  exports dev.duoka.formats.modelconfig;
  exports dev.duoka.formats.prediction;
  exports dev.duoka.formats.safetensors;
  exports dev.duoka.formats.setaside;
  exports dev.duoka.formats.turn;
  exports dev.duoka.formats.yaml;
}
