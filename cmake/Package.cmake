# What belongs to an installed wajah besides the program, and the Debian package of it all: `cpack -G DEB`.
include(GNUInstallDirs)

install(FILES packaging/wajah.service DESTINATION lib/systemd/system)
install(FILES packaging/wajah.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES packaging/wajah.toml LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR} FILES_MATCHING PATTERN "*.md" PATTERN "*.svg")
# The built-in weights and their cards, where they have been made or fetched.
install(DIRECTORY weights/ DESTINATION ${CMAKE_INSTALL_DATADIR}/wajah/weights
        FILES_MATCHING PATTERN "*.safetensors" PATTERN "*.json" PATTERN "train" EXCLUDE)

set(CPACK_PACKAGE_NAME wajah)
set(CPACK_PACKAGE_VENDOR wajah)
set(CPACK_PACKAGE_CONTACT "the maintainers of wajah <root@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "tzdata, ca-certificates")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA "${PROJECT_SOURCE_DIR}/packaging/postinst;${PROJECT_SOURCE_DIR}/packaging/prerm")
include(CPack)
