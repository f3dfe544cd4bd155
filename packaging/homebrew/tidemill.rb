# A formula for Homebrew. NOT RUN: no Mac was at hand; the tree is compiled for Apple silicon in every run of the tests, and linked by nobody yet but for the
# Python extension (README.md). It installs from a clone, since this repository names no place for downloads:
#   HOMEBREW_TIDEMILL=$PWD brew install --HEAD ./packaging/homebrew/tidemill.rb
class Tidemill < Formula
  desc "Trains and serves small scientific models: forecasts, impedance spectra"
  license "MIT"
  head "file://#{ENV.fetch("HOMEBREW_TIDEMILL", Dir.pwd)}", using: :git, branch: "main"

  depends_on "meson" => :build
  depends_on "ninja" => :build
  depends_on "pkgconf" => :build
  depends_on "cminpack"
  depends_on "hwloc"
  depends_on "jansson"
  depends_on "libcsv"
  depends_on "libmicrohttpd"
  depends_on "libsodium"
  depends_on "libzip"
  depends_on "sleef"
  depends_on "sqlite"
  uses_from_macos "zlib"

  # Random123, headers alone, is what subprojects/random123.wrap names; Homebrew has no package of it.
  def install
    system "meson", "setup", "build", *std_meson_args.reject { |word| word.start_with?("--wrap-mode") },
           "-Dtests=false", "-Dmpi=disabled", "-Dpage=disabled"
    system "meson", "compile", "-C", "build", "--verbose"
    system "meson", "install", "-C", "build"
  end

  test do
    system bin/"tidemill", "selftest", "--quiet"
    (testpath/"program.c").write <<~C
      #include <stdio.h>
      #include <tidemill/core.h>
      int main(void) { return puts(tide_version()) < 0; }
    C
    system ENV.cc, "program.c", "-I#{include}", "-L#{lib}", "-ltidemill", "-o", "program"
    assert_match version.to_s, shell_output("./program") unless build.head?
  end
end
