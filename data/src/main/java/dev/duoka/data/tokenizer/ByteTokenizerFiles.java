package dev.duoka.data.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * {@link ByteTokenizer} as the files of a Hugging Face tokenizer, for tools that know no other
 * kind: byte-level BPE whose vocabulary is the 256 bytes and which merges nothing.
 *
 * <p>Ids are the same, save that text which spells a special token, for instance {@code <eos>},
 * becomes that token there.
 */
public final class ByteTokenizerFiles {
  private static final JsonMapper MAPPER = new JsonMapper();
  private static final String[] ROLES = {"bos", "eos", "pad"};

  private ByteTokenizerFiles() {}

  /** The contents of {@code tokenizer.json} and {@code tokenizer_config.json}, by file name. */
  public static Map<String, byte[]> files() {
    Map<String, byte[]> files = new LinkedHashMap<>();
    files.put("tokenizer.json", bytes(tokenizer()));
    files.put("tokenizer_config.json", bytes(config()));
    return files;
  }

  private static ObjectNode tokenizer() {
    ByteTokenizer tokenizer = new ByteTokenizer();
    ObjectNode root = MAPPER.createObjectNode();
    root.put("version", "1.0");
    root.putNull("truncation");
    root.putNull("padding");
    ArrayNode added = root.putArray("added_tokens");
    for (int id = 256; id < tokenizer.vocabularySize(); id++) {
      added
          .addObject()
          .put("id", id)
          .put("content", tokenizer.decode(new int[] {id}))
          .put("single_word", false)
          .put("lstrip", false)
          .put("rstrip", false)
          .put("normalized", false)
          .put("special", true);
    }
    root.putNull("normalizer");
    putByteLevel(root.putObject("pre_tokenizer"));
    putTemplate(root.putObject("post_processor"), tokenizer.bosId());
    putByteLevel(root.putObject("decoder"));
    ObjectNode model = root.putObject("model");
    model.put("type", "BPE");
    model.putNull("dropout");
    model.putNull("unk_token");
    model.putNull("continuing_subword_prefix");
    model.putNull("end_of_word_suffix");
    model.put("fuse_unk", false);
    model.put("byte_fallback", false);
    ObjectNode vocabulary = model.putObject("vocab");
    for (int octet = 0; octet < 256; octet++) {
      vocabulary.put(ByteAlphabet.letter(octet), octet);
    }
    model.putArray("merges");
    return root;
  }

  private static void putByteLevel(ObjectNode step) {
    step.put("type", "ByteLevel")
        .put("add_prefix_space", false)
        .put("trim_offsets", true)
        .put("use_regex", false);
  }

  /** Puts the bos token in front of a text, or of each of two. */
  private static void putTemplate(ObjectNode step, int bosId) {
    step.put("type", "TemplateProcessing");
    putTexts(step.putArray("single"), "A");
    putTexts(step.putArray("pair"), "A", "B");
    ObjectNode bos = step.putObject("special_tokens").putObject("<bos>");
    bos.put("id", "<bos>");
    bos.putArray("ids").add(bosId);
    bos.putArray("tokens").add("<bos>");
  }

  private static void putTexts(ArrayNode template, String... texts) {
    for (int type = 0; type < texts.length; type++) {
      template.addObject().putObject("SpecialToken").put("id", "<bos>").put("type_id", type);
      template.addObject().putObject("Sequence").put("id", texts[type]).put("type_id", type);
    }
  }

  private static ObjectNode config() {
    ObjectNode root = MAPPER.createObjectNode();
    root.put("tokenizer_class", "PreTrainedTokenizerFast");
    for (String role : ROLES) {
      root.put(role + "_token", "<" + role + ">");
    }
    root.put("clean_up_tokenization_spaces", false);
    return root;
  }

  private static byte[] bytes(ObjectNode root) {
    return MAPPER
        .writerWithDefaultPrettyPrinter()
        .writeValueAsString(root)
        .getBytes(StandardCharsets.UTF_8);
  }
}
