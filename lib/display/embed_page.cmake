# Writes the page as one string constant. cmake -D OUTPUT=... -D PAGE=... -P embed_page.cmake
file(READ ${PAGE} page)
file(WRITE ${OUTPUT} "// Generated from page.html.
#include \"display/page.hpp\"

std::string_view lockkeeper::display::page() {
  return R\"html(${page})html\";
}
")
