// floor_photos FOLDER PHOTO…: what no resizer on libjpeg can undercut: decode at half scale, encode that, nothing else.
// Prints, a line a photo, the CPU ms.
#include <cstdio>
// jpeglib.h wants it.
#include <jpeglib.h>

#include <cstdlib>
#include <ctime>
#include <fstream>
#include <string>
#include <vector>

namespace {

constexpr int kQuality = 80;

using Bytes = std::vector<unsigned char>;

double cpu_ms() {
  timespec used{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) * 1e3 + static_cast<double>(used.tv_nsec) / 1e6;
}

void transcode(const Bytes& in, Bytes& pixels, const std::string& out) {
  jpeg_decompress_struct decoder{};
  jpeg_error_mgr errors{};
  decoder.err = jpeg_std_error(&errors);
  jpeg_create_decompress(&decoder);
  jpeg_mem_src(&decoder, in.data(), in.size());
  jpeg_read_header(&decoder, TRUE);
  decoder.scale_num = 1;
  decoder.scale_denom = 2;
  decoder.out_color_space = JCS_RGB;
  jpeg_start_decompress(&decoder);
  const std::size_t stride = std::size_t{decoder.output_width} * 3;
  pixels.resize(stride * decoder.output_height);
  while (decoder.output_scanline < decoder.output_height) {
    JSAMPROW row = pixels.data() + stride * decoder.output_scanline;
    jpeg_read_scanlines(&decoder, &row, 1);
  }
  jpeg_finish_decompress(&decoder);

  jpeg_compress_struct encoder{};
  encoder.err = jpeg_std_error(&errors);
  jpeg_create_compress(&encoder);
  unsigned char* data = nullptr;
  unsigned long length = 0;
  jpeg_mem_dest(&encoder, &data, &length);
  encoder.image_width = decoder.output_width;
  encoder.image_height = decoder.output_height;
  encoder.input_components = 3;
  encoder.in_color_space = JCS_RGB;
  jpeg_set_defaults(&encoder);
  jpeg_set_quality(&encoder, kQuality, TRUE);
  jpeg_start_compress(&encoder, TRUE);
  while (encoder.next_scanline < encoder.image_height) {
    JSAMPROW row = pixels.data() + stride * encoder.next_scanline;
    jpeg_write_scanlines(&encoder, &row, 1);
  }
  jpeg_finish_compress(&encoder);
  std::ofstream(out, std::ios::binary).write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(length));
  std::free(data);
  jpeg_destroy_compress(&encoder);
  jpeg_destroy_decompress(&decoder);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "floor_photos FOLDER PHOTO...\n");
    return 2;
  }
  Bytes pixels;  // kept from photo to photo, as a worker keeps its memory
  for (int i = 2; i < argc; ++i) {
    const double before = cpu_ms();
    std::ifstream file(argv[i], std::ios::binary | std::ios::ate);
    Bytes in(static_cast<std::size_t>(file.tellg()));
    file.seekg(0);
    file.read(reinterpret_cast<char*>(in.data()), static_cast<std::streamsize>(in.size()));
    transcode(in, pixels, std::string(argv[1]) + "/floor.jpg");
    std::printf("%.3f %s\n", cpu_ms() - before, argv[i]);
  }
  return 0;
}
