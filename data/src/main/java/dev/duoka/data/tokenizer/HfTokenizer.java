package dev.duoka.data.tokenizer;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.formats.json.JsonField;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A Hugging Face {@code tokenizer.json} with a BPE model: all DeepSeek models, and the
 * SentencePiece kind of Llama.
 *
 * <p>Ids are those of the {@code tokenizers} library. What it does not support (other models, other
 * normalizers and pre-tokenizers) is refused when the file is read, with the kinds it does support.
 * Unicode properties are those of the running Java, so characters that were added to Unicode after
 * the library was built may be split otherwise.
 */
public final class HfTokenizer implements Tokenizer {
  private final String name;
  private final String fingerprint;
  private final HfPipeline pipeline;
  private final AddedTokenTable added;
  private final TokenDecoder decoder;
  private final boolean byteLevel;
  private final SpecialIds special;
  private final int vocabularySize;

  private HfTokenizer(String json, String name, SpecialTokenNames names) {
    JsonField root = JsonFile.parse(json, name);
    this.name = name;
    this.added = AddedTokenTable.read(root.optional("added_tokens"));
    this.pipeline = HfPipeline.read(root, added);
    added.checkAgainst(pipeline.vocabulary(), root);
    this.decoder = DecoderReader.read(root.optional("decoder"));
    this.byteLevel = DecoderReader.isByteLevel(decoder);
    this.special =
        SpecialIds.of(
            names,
            SurroundingTokens.read(root.optional("post_processor")),
            this::idOf,
            added::isSpecial,
            name);
    this.vocabularySize = Math.max(pipeline.vocabulary().size(), added.size());
    this.fingerprint = Fingerprint.of("duoka tokenizer.json 1\n" + special + "\n" + json);
  }

  /**
   * Reads {@code tokenizer.json}, given as a file or as the folder that holds it.
   *
   * <p>{@code tokenizer_config.json} and {@code special_tokens_map.json} beside it, if there, say
   * which tokens are bos, eos and pad.
   *
   * @throws DuokaException if the file is missing, damaged or of a kind that is not supported
   */
  public static HfTokenizer read(Path path) {
    Path file = Files.isDirectory(path) ? path.resolve("tokenizer.json") : path;
    return new HfTokenizer(JsonFile.text(file), file.toString(), SpecialTokenNames.beside(file));
  }

  /**
   * Reads the content of a {@code tokenizer.json}, without any file beside it.
   *
   * @param name what errors call the file
   * @throws DuokaException if it is damaged or of a kind that is not supported
   */
  public static HfTokenizer parse(String json, String name) {
    return new HfTokenizer(json, name, SpecialTokenNames.UNKNOWN);
  }

  @Override
  public int vocabularySize() {
    return vocabularySize;
  }

  @Override
  public int[] encode(String text) {
    return pipeline.encode(WellFormed.text(text));
  }

  @Override
  public int[] encodeWithSpecialTokens(String text) {
    int[] ids = encode(text);
    int[] before = special.before();
    int[] after = special.after();
    int[] all = Arrays.copyOf(before, before.length + ids.length + after.length);
    System.arraycopy(ids, 0, all, before.length, ids.length);
    System.arraycopy(after, 0, all, before.length + ids.length, after.length);
    return all;
  }

  @Override
  public String decode(int[] ids) {
    if (byteLevel) {
      return new ByteStreamDecoder(this::bytes).decodeAll(ids);
    }
    List<String> tokens = new ArrayList<>(ids.length);
    for (int id : ids) {
      String token = token(id);
      if (!token.isEmpty()) {
        tokens.add(token);
      }
    }
    return String.join("", decoder.apply(tokens));
  }

  @Override
  public StreamingDecoder streamingDecoder() {
    return byteLevel ? new ByteStreamDecoder(this::bytes) : new WindowDecoder(this::decode);
  }

  @Override
  public boolean isSpecial(int id) {
    return added.isSpecial(id);
  }

  @Override
  public int idOf(String token) {
    int id = added.id(token);
    return id >= 0 ? id : pipeline.vocabulary().id(token);
  }

  @Override
  public int bosId() {
    return special.bos();
  }

  @Override
  public int eosId() {
    return special.eos();
  }

  @Override
  public int padId() {
    return special.pad();
  }

  @Override
  public String fingerprint() {
    return fingerprint;
  }

  @Override
  public String describe() {
    return "Hugging Face BPE, " + vocabularySize + " ids, from " + name;
  }

  /** An added token is its own text; it is not written in the alphabet of bytes. */
  private byte[] bytes(int id) {
    String token = token(id);
    return added.has(id) ? token.getBytes(StandardCharsets.UTF_8) : ByteAlphabet.bytes(token);
  }

  private String token(int id) {
    if (id < 0 || id >= vocabularySize) {
      throw new DuokaException(
          ErrorCode.DATA,
          "cannot decode token id " + id + ": " + name + " has ids 0 to " + (vocabularySize - 1),
          "Use the tokenizer with which the ids were made.");
    }
    String content = added.content(id);
    String token = content != null ? content : pipeline.vocabulary().token(id);
    return token == null ? "" : token;
  }
}
